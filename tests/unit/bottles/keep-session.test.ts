import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { AgentAccess, AgentFile } from '../../../src-main/backends/agent-access.ts'
import type { Backend } from '../../../src-main/backends/backend.ts'
import type { FreezeSubject } from '../../../src-main/backends/freezer.ts'
import { freeze } from '../../../src-main/bottles/freeze.ts'
import { lookForSession } from '../../../src-main/bottles/keep-session.ts'
import { recordExit } from '../../../src-main/bottles/run-lifecycle.ts'
import { parseOrder, type RunRecord, requireMetadata } from '../../../src-main/state/metadata.ts'
import { writeSession } from '../../../src-main/state/session-file.ts'
import { type OneEngine, oneEngine } from '../../support/one-engine.ts'
import { sampleRun, sampleSnapshot } from '../../support/samples.ts'

const A = '11111111-1111-4111-8111-111111111111'
const B = '22222222-2222-4222-8222-222222222222'
const BEGAN = Date.parse(sampleRun().startedAt)
const BEFORE = new Date(BEGAN - 60_000).toISOString()

/** A conversation that was talked in, so many seconds after the run began. */
const talked = (id: string, seconds: number): AgentFile => ({
  path: `-w/${id}.jsonl`,
  bytes: 90_000,
  modifiedAt: BEGAN + seconds * 1000,
})
const begunWith = (sessionId: string | null, more: object = {}): Partial<RunRecord> => ({
  order: parseOrder({ sessionId, ...more }),
})

const seeing = (list: AgentAccess['list']): Partial<Backend> => ({
  access: async () => ({ list, read: async () => null }) as unknown as AgentAccess,
})
const never: AgentAccess['list'] = async (_ref, _folder, _limit, signal) => {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}

async function look(world: OneEngine): Promise<string | null | undefined> {
  const { deps, context } = world
  const metadata = await requireMetadata(deps.root, 'web')
  const run = metadata.icebox?.runs.at(-1) ?? null
  const backend = await deps.backends.get('docker')
  const mark = await lookForSession(deps, backend, 'web', metadata, run, context.signal, 200)
  return mark === null ? null : mark?.id
}

describe('the conversation of a run', () => {
  const files = [talked(B, -10), talked(A, -900)]
  const chosen = async (run: Partial<RunRecord>, list = files) => {
    const world = await oneEngine(seeing(async () => list))
    await world.bottle(run)
    return look(world)
  }
  test('that was resumed by its id is not a newer one, before its file grows', async () => {
    expect(await chosen(begunWith(A))).toBe(A)
  })
  test('that begins anew is not the old one, before its first turn', async () => {
    expect(await chosen(begunWith('33333333-3333-4333-8333-333333333333'))).toBeNull()
    expect(await chosen(begunWith(null, { continuesNewest: false }))).toBeNull()
  })
  test('that began meanwhile is its own', async () => {
    expect(await chosen(begunWith(A), [talked(B, 10), talked(A, 5)])).toBe(B)
  })
  test('that was to go on with the newest is the newest; older records say nothing else', async () => {
    expect(await chosen(begunWith(null, { continuesNewest: true }))).toBe(B)
    expect(await chosen(begunWith(null))).toBe(B)
    expect(await chosen({})).toBe(B)
  })
  test('is not the one of its former launch when nobody can look in time', async () => {
    const world = await oneEngine(seeing(never))
    await world.bottle(begunWith(A))
    const mark = { provider: 'claude', id: B, lastActivityAt: BEFORE }
    await writeSession(world.deps.root, 'web', { runId: 'run1', mark, seenAt: BEFORE })
    expect(await look(world)).toBeUndefined()
    const seenAt = new Date(BEGAN + 1000).toISOString()
    await writeSession(world.deps.root, 'web', { runId: 'run1', mark: { ...mark, id: A }, seenAt })
    expect(await look(world)).toBe(A)
  })
})

test('an engine that does not answer holds up a freeze and the record of an end only a little', async () => {
  const subjects: FreezeSubject[] = []
  const freezer = {
    freeze: async (_root: unknown, subject: FreezeSubject) => {
      subjects.push(subject)
      return { snapshot: sampleSnapshot(), notices: [], exportHint: null }
    },
  } as unknown as Backend['freezer']
  const freezing = await oneEngine({ ...seeing(never), freezer })
  await freezing.bottle(begunWith(A))
  const ending = await oneEngine(seeing(never))
  await ending.bottle(begunWith(A))
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const began = Date.now()
    await work
    return Date.now() - began
  }
  const exit = { exitCode: 0, endedAt: new Date().toISOString() }
  const backend = await ending.deps.backends.get('docker')
  const [frozenMs, endedMs] = await Promise.all([
    timed(freeze(freezing.deps, { slug: 'web' }, freezing.context)),
    timed(recordExit(ending.deps, backend, 'web', sampleRun(), exit, ending.context.signal)),
  ])
  expect(subjects[0]?.session).toBeUndefined()
  expect(frozenMs).toBeLessThan(2500)
  expect(endedMs).toBeLessThan(9000)
})
