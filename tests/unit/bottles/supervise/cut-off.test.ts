import { rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { freshSupervision } from '../../../../src-main/bottles/supervise/supervision.ts'
import { appendJournal } from '../../../../src-main/state/journal.ts'
import { requireMetadata, withRun, writeMetadata } from '../../../../src-main/state/metadata.ts'
import { bottleError } from '../../../../src-main/system/bottle-error.ts'
import { sampleRun } from '../../../support/samples.ts'
import { until } from '../../../support/supervised-world.ts'
import { type LoopWorld, loopWorld, RUN } from './loop-world.ts'

const lifecycle = {
  restart: { ...DEFAULT_LIFECYCLE.restart, initialSeconds: 0.2, maxSeconds: 0.2, jitter: 0 },
  context: { ...DEFAULT_LIFECYCLE.context, strategy: 'restart' as const, freezeFirst: false },
}

async function recordStop({ deps }: LoopWorld, at: number): Promise<void> {
  const exit = { code: 143, at: new Date(at).toISOString() }
  const metadata = await requireMetadata(deps.root, 'web')
  await writeMetadata(deps.root, 'web', withRun(metadata, { ...sampleRun(), exit, isStopped: true }))
}

/** What a supervisor left that was killed between its own stop and the next launch. */
async function cutOff(): Promise<{ world: LoopWorld; open: () => Promise<unknown> }> {
  const world = await loopWorld()
  const now = Date.now()
  await world.bottle()
  world.engine.state = 'exited'
  await recordStop(world, now + 1000)
  const restarts = {
    ...freshSupervision(RUN, now).restarts,
    begun: 'context' as const,
    cutAt: now,
    contextTries: [now],
  }
  const end = { code: 143, isStopped: true, at: now + 1000 }
  return { world, open: () => world.open(lifecycle, { restarts, end }, false) }
}

test('a restart that fails after its own stop is made again, with a new conversation', async () => {
  let isAsked = false
  const world = await loopWorld(async () => {
    const act = isAsked ? 'none' : 'restart'
    isAsked = true
    return { latch: { isSet: true }, act, say: null }
  })
  world.sees = { state: 'waiting', reason: null, contextPercent: 90 }
  await world.bottle()
  const sessions: unknown[] = []
  world.restarts = async ({ session }) => {
    sessions.push(session)
    // It is on disk before the agent is stopped that its end is the restart's own.
    if (sessions.length === 1) expect((await world.kept()).restarts.cutAt).not.toBeNull()
    await recordStop(world, Date.now())
    world.engine.state = 'exited'
    if (sessions.length < 3) throw bottleError('internal', 'The next one could not be launched.')
  }
  await world.open(lifecycle)
  await until('it is made three times', async () => sessions.length === 3, 5000)
  expect(sessions).toEqual(['new', 'new', 'new'])
  expect(world.warnings).toEqual([])
})

test('the next supervisor ends what one began that was killed after its stop', async () => {
  const { world, open } = await cutOff()
  await open()
  await until('it is started again', async () => world.done.includes('restart'), 5000)
})

test('one that a person stopped meanwhile stays stopped', async () => {
  const { world, open } = await cutOff()
  await appendJournal(world.deps.root, 'web', { op: 'stop', outcome: 'done', message: 'Stopped.' })
  await open()
  await world.keeps('nothing is begun any more', (kept) => kept.restarts.begun === null)
  expect(world.done).toEqual([])
})

test('a restart that could not be written down is made when it can be', async () => {
  const world = await loopWorld()
  await world.bottle({ exit: { code: 3, at: new Date().toISOString() } })
  world.engine.state = 'exited'
  const folder = world.deps.root.path('state', 'web', 'agent')
  await writeFile(folder, 'in the way')
  const now = Date.now()
  const restarts = { ...freshSupervision(RUN, now).restarts, nextAt: now }
  await world.open(
    { restart: { ...lifecycle.restart, policy: 'on-failure', maxRetries: 50 } },
    { restarts, end: { code: 3, isStopped: false, at: now } },
    false,
  )
  await until('it fails', async () => world.warnings.length > 1, 5000)
  expect(world.done).toEqual([])
  await rm(folder)
  await until('it is started again', async () => world.done.includes('restart'), 5000)
})

test('a restart that is due while the end is still to be frozen is not kept as begun before its turn', async () => {
  let go: () => void = () => undefined
  const busy = new Promise<void>((resolve) => {
    go = resolve
  })
  const world = await loopWorld(async () => {
    await busy
    return { latch: null, act: 'none', say: null }
  })
  world.sees = { contextPercent: 10 }
  await world.bottle()
  const begun: unknown[] = []
  world.freezes = async () => {
    begun.push((await world.kept()).restarts.begun)
  }
  const restart = { ...lifecycle.restart, policy: 'always' as const }
  const loop = await world.open({
    ...lifecycle,
    restart,
    autoFreeze: { ...DEFAULT_LIFECYCLE.autoFreeze, onExit: true },
  })
  const exit = { code: 4, at: new Date().toISOString() }
  const metadata = await requireMetadata(world.deps.root, 'web')
  await writeMetadata(world.deps.root, 'web', withRun(metadata, { ...sampleRun(), exit }))
  world.engine.state = 'exited'
  // Both come while a look is not done yet.
  loop.exited({ code: 4, isStopped: false, at: Date.now() })
  loop.due('restart')
  go()
  await until('it is started again', async () => world.done.includes('restart'), 5000)
  expect(world.done).toEqual(['freeze', 'restart'])
  expect(begun).toEqual([null])
})
