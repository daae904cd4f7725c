import { expect, test } from 'vitest'
import { freeze } from '../../../src-main/bottles/freeze.ts'
import { recoverOne } from '../../../src-main/bottles/recover.ts'
import { recordExit } from '../../../src-main/bottles/run-lifecycle.ts'
import type { Bottles } from '../../../src-main/bottles/services.ts'
import { stop } from '../../../src-main/bottles/stop.ts'
import { endOf, type Launch } from '../../../src-main/bottles/supervise/current-launch.ts'
import { restartByRule } from '../../../src-main/bottles/supervise/restart-by-rule.ts'
import type { Session } from '../../../src-main/bottles/supervise/supervisor-deps.ts'
import { writeIntent } from '../../../src-main/state/intent.ts'
import { latestRun, type RunRecord, requireMetadata } from '../../../src-main/state/metadata.ts'
import { writeCommittedImage, writeSnapshot } from '../../../src-main/state/snapshot-files.ts'
import { type OneEngine, oneEngine } from '../../support/one-engine.ts'
import { sampleIntent, sampleRef, sampleRun, sampleSnapshot } from '../../support/samples.ts'

const STARTED = sampleRun().startedAt
const CRASHED = { exit: { code: 3, at: '2026-11-21T08:00:00.000Z' } }
const SUPERVISED: Partial<RunRecord> = {
  order: {
    runtime: 'terminal',
    session: null,
    resumeId: null,
    sessionId: null,
    isSessionMoved: false,
    secretNames: [],
    allowMissingSecrets: false,
    envFiles: [],
    isSupervised: true,
  },
}

async function runOf({ deps }: OneEngine): Promise<RunRecord> {
  const run = latestRun(await requireMetadata(deps.root, 'web'))
  if (!run) throw new Error('no run')
  return run
}

/** What a rule does that has decided to start the crashed agent again. */
async function ruleRestarts({ deps, context }: OneEngine): Promise<boolean> {
  let isStarted = false
  const restart: Bottles['restart'] = async (_slug, _context, options) => {
    await options?.check?.()
    isStarted = true
    options?.onLaunched?.({ slug: 'web', runId: 'run1', snapshot: null })
    throw new Error('nobody waits for it')
  }
  const session = {
    root: deps.root,
    services: deps,
    lease: { holds: async () => true },
    bottles: { restart },
  } as unknown as Session
  const launch = { slug: 'web', runId: 'run1', startedAt: STARTED } as unknown as Launch
  await restartByRule(
    session,
    launch,
    { why: 'crash', cutAt: null, beforeStop: async () => undefined },
    context,
  )
  return isStarted
}

async function frozen({ deps }: OneEngine, reason: 'user' | 'rule'): Promise<void> {
  const snapshot = sampleSnapshot({ reason, createdAt: '2026-11-21T08:00:01.000Z' })
  await writeSnapshot(deps.root, snapshot)
  await writeCommittedImage(deps.root, 'web', snapshot.reference)
}

test('a stop while a restart is waited for calls it off, and the failure stays one', async () => {
  const world = await oneEngine()
  world.state = 'exited'
  await world.bottle(CRASHED)
  expect(await ruleRestarts(world)).toBe(true)
  await stop(world.deps, 'web', { graceSeconds: 1 }, world.context)
  expect(await ruleRestarts(world)).toBe(false)
  expect(await runOf(world)).toMatchObject({ exit: { code: 3 }, isStopped: false })
  expect(endOf(await runOf(world))?.isStopped).toBe(true)
})

test('a stop comes before the end is recorded, and still counts', async () => {
  const world = await oneEngine()
  world.state = 'exited'
  await world.bottle()
  await stop(world.deps, 'web', { graceSeconds: 1 }, world.context)
  const exit = { exitCode: 3, endedAt: '2026-11-21T08:00:00.000Z' }
  const backend = await world.deps.backends.get('docker')
  await recordExit(world.deps, backend, 'web', sampleRun(), exit, world.context.signal)
  expect(await ruleRestarts(world)).toBe(false)
  expect((await runOf(world)).isStopped).toBe(false)
})

test('a freeze by a person that finds nothing new puts the bottle away; one by a rule does not', async () => {
  const world = await oneEngine({ hasChangedSince: async () => false })
  world.state = 'exited'
  await world.bottle(CRASHED)
  await frozen(world, 'rule')
  await freeze(world.deps, { slug: 'web', reason: 'rule' }, world.context)
  expect(await ruleRestarts(world)).toBe(true)
  await freeze(world.deps, { slug: 'web' }, world.context)
  expect(await ruleRestarts(world)).toBe(false)
})

test('a freeze of an agent that runs calls nothing off', async () => {
  const world = await oneEngine({ hasChangedSince: async () => false })
  await world.bottle(SUPERVISED)
  await frozen(world, 'rule')
  await freeze(world.deps, { slug: 'web' }, world.context)
  expect((await runOf(world)).isCalledOff).toBeUndefined()
  world.state = 'exited'
  await freeze(world.deps, { slug: 'web' }, world.context)
  expect((await runOf(world)).isCalledOff).toBe(true)
})

const STOPPING = sampleIntent({ op: 'stop', runtime: sampleRef() })

test('a stop that was cut off before its record is still the reason of the end', async () => {
  const world = await oneEngine()
  await world.bottle()
  await writeIntent(world.deps.root, 'web', STOPPING)
  world.state = 'exited'
  const exit = { exitCode: 143, endedAt: '2026-11-21T08:00:00.000Z' }
  const backend = await world.deps.backends.get('docker')
  await recordExit(world.deps, backend, 'web', sampleRun(), exit, world.context.signal)
  expect(await runOf(world)).toMatchObject({ exit: { code: 143 }, isStopped: true })
  expect(await ruleRestarts(world)).toBe(false)
})

test('a recovery of a cut off stop records it before the intent goes', async () => {
  const world = await oneEngine()
  await world.bottle()
  await writeIntent(world.deps.root, 'web', STOPPING)
  world.state = 'exited'
  await recoverOne(world.deps, 'web', world.context.signal)
  expect(await runOf(world)).toMatchObject({ exit: { code: 3 }, isStopped: true })
})

test('the first half of a restart is not meant to last', async () => {
  const world = await oneEngine()
  await world.bottle()
  await writeIntent(world.deps.root, 'web', { ...STOPPING, isForRestart: true })
  world.state = 'exited'
  await recoverOne(world.deps, 'web', world.context.signal)
  expect(await runOf(world)).toMatchObject({ exit: { code: 3 }, isStopped: false })
  expect(await ruleRestarts(world)).toBe(true)
})
