import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeLaunched } from '../../../src-main/agents/launched-agent.ts'
import { DEFAULT_LIFECYCLE } from '../../../src-main/agents/lifecycle.ts'
import type { Backend } from '../../../src-main/backends/backend.ts'
import { destroy } from '../../../src-main/bottles/destroy.ts'
import { readJournal } from '../../../src-main/state/journal.ts'
import { latestRun, requireMetadata } from '../../../src-main/state/metadata.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { type OneEngine, oneEngine } from '../../support/one-engine.ts'
import { sampleFact, sampleRef, sampleSnapshot } from '../../support/samples.ts'

/** An engine whose freezes are told with the state of what they froze. */
async function scene(
  parts: Partial<Backend> = {},
  freezes: () => void = () => undefined,
): Promise<OneEngine> {
  const freezer = {
    freeze: async () => {
      world.calls.push(`freeze ${world.state}`)
      freezes()
      return { snapshot: sampleSnapshot(), notices: [], exportHint: null }
    },
  } as unknown as Backend['freezer']
  const world = await oneEngine({ freezer, ...parts })
  return world
}

const runOf = async ({ deps }: OneEngine) => latestRun(await requireMetadata(deps.root, 'web'))

test('an agent does nothing any more after the freeze before its removal', async () => {
  const world = await scene()
  await world.bottle()
  const done = await destroy(world.deps, { slug: 'web', freeze: true }, world.context)
  // Its output is kept while it is there, and once more as it ended.
  expect(world.calls).toEqual(['logs', 'stop', 'logs', 'freeze exited', 'remove'])
  expect(done.unrecoverable).toEqual([])
})

test('so with a record that is damaged', async () => {
  const world = await scene({ find: async () => sampleRef() })
  await world.bottle()
  await writeFile(world.deps.root.path('state', 'web', 'metadata.json'), '{ broken')
  await destroy(world.deps, { slug: 'web', freeze: true }, world.context)
  expect(world.calls).toEqual(['logs', 'stop', 'freeze exited', 'remove'])
})

test('what was stopped already is only frozen', async () => {
  const world = await scene()
  world.state = 'exited'
  await world.bottle({ exit: { code: 0, at: '2026-11-21T08:00:00.000Z' } })
  await destroy(world.deps, { slug: 'web', freeze: true }, world.context)
  expect(world.calls).toEqual(['logs', 'freeze exited', 'remove'])
})

test('a runtime of others, which a stop may delete, goes on; nothing slow comes after its freeze', async () => {
  const world = await scene({ list: async () => [sampleFact({ root: null, runId: null, slug: null })] })
  await world.bottle({}, { adopted: true })
  await destroy(world.deps, { slug: 'web', freeze: true }, world.context)
  expect(world.calls).toEqual(['logs', 'freeze running', 'remove'])
})

test('a freeze that is vetoed or cancelled changes nothing', async () => {
  const world = await scene()
  await world.bottle({}, { hooksConfigured: { pre_freeze: 1 } })
  const veto = { kind: 'shell', run: 'exit 1', timeoutSeconds: 20, required: true } as const
  const hooks = { ...DEFAULT_LIFECYCLE.hooks, pre_freeze: [veto] }
  const agent = { name: 'web', provider: 'custom', file: '/d/web.md', model: null }
  const resolved = { agent: { ...agent, lifecycle: { ...DEFAULT_LIFECYCLE, hooks } }, bottle: { env: {} } }
  await writeLaunched(
    world.deps.root,
    'web',
    resolved as unknown as Parameters<typeof writeLaunched>[2],
    'run1',
  )
  await expect(destroy(world.deps, { slug: 'web', freeze: true }, world.context)).rejects.toMatchObject({
    code: 'hook-failed',
  })
  expect(world.calls).toEqual([])

  const leaving = new AbortController()
  const cancelled = await scene({
    logs: async function* () {
      leaving.abort()
      yield* []
    },
  })
  await cancelled.bottle()
  const context = { ...cancelled.context, signal: leaving.signal }
  await expect(destroy(cancelled.deps, { slug: 'web', freeze: true }, context)).rejects.toThrow()
  expect(cancelled.calls).toEqual([])
  expect(cancelled.state).toBe('running')
})

test('a freeze that fails leaves the bottle whole, and ended as asked', async () => {
  const world = await scene({}, () => {
    throw bottleError('disk-full', 'No room.')
  })
  await world.bottle()
  await expect(destroy(world.deps, { slug: 'web', freeze: true }, world.context)).rejects.toMatchObject({
    code: 'disk-full',
  })
  expect(world.calls).not.toContain('remove')
  expect(await runOf(world)).toMatchObject({ isStopped: true })
  const told = (await readJournal(world.deps.root, 'web')).map(({ op, message }) => `${op}: ${message}`)
  expect(told).toContain('stop: Stopped for its last freeze.')
})

test('without a freeze it is as ever: removed, and the work named', async () => {
  const world = await scene()
  await world.bottle()
  const done = await destroy(world.deps, { slug: 'web' }, world.context)
  expect(world.calls).toEqual(['logs', 'remove'])
  expect(done.unrecoverable).toEqual(['all work: it was never frozen'])
})
