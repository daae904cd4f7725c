import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { readJournal } from '../../../../src-main/state/journal.ts'
import { bottleError } from '../../../../src-main/system/bottle-error.ts'
import { until } from '../../../support/supervised-world.ts'
import { type LoopWorld, loopWorld } from './loop-world.ts'

const IDLE = { state: 'waiting', reason: null, contextPercent: 90 } as const

/** A supervisor whose first look finds a full context, which asks for an act once. */
async function full(strategy: 'compact' | 'restart'): Promise<LoopWorld> {
  let isAsked = false
  const world = await loopWorld(async () => {
    const act = isAsked ? 'none' : strategy
    isAsked = true
    return { latch: { isSet: true }, act, say: null }
  })
  world.sees = IDLE
  await world.bottle()
  return world
}
const open = (world: LoopWorld, strategy: 'compact' | 'restart') =>
  world.open({ context: { ...DEFAULT_LIFECYCLE.context, strategy } })
const told = async (world: LoopWorld) =>
  (await readJournal(world.deps.root, 'web')).map(({ message }) => message)

test.each(['compact', 'restart'] as const)(
  'no %s follows a freeze before it that failed',
  async (strategy) => {
    const world = await full(strategy)
    world.freezes = () => Promise.reject(bottleError('disk-full', 'The disk is full.'))
    const loop = await open(world, strategy)
    await until('it is told', async () =>
      (await told(world)).includes('Not frozen by rule: The disk is full.'),
    )
    await loop.stop()
    expect(world.done).toEqual(['freeze'])
    // What was begun is over, so that the rule may ask again.
    expect((await world.kept()).restarts.begun).toBeNull()
  },
)

test.each(['compact', 'restart'] as const)('a %s follows its freeze', async (strategy) => {
  const world = await full(strategy)
  await open(world, strategy)
  await until('it is done', async () => world.done.includes(strategy))
  expect(world.done).toEqual(['freeze', strategy])
})

test.each([
  ['began to work', { state: 'working' }, 'it is not idle any more'],
  ['has a new conversation', { contextPercent: 5 }, 'its context is not full any more'],
  [
    'has a conversation of which nothing is told yet',
    { contextPercent: null },
    'its context is not full any more',
  ],
] as const)('no restart where the agent %s while it was frozen', async (_what, seen, why) => {
  const world = await full('restart')
  world.freezes = async () => {
    world.sees = { ...IDLE, ...seen }
  }
  const loop = await open(world, 'restart')
  await until('it is told', async () => (await told(world)).includes(`Its restart waits, as ${why}.`))
  await loop.stop()
  expect(world.done).toEqual(['freeze'])
  expect(world.warnings).toEqual([])
})
