import { expect, test } from 'vitest'
import { type BottleFacts, bottleRow } from '../../../src-main/bottles/state-model.ts'
import { Bottle } from '../../../src-preload/contract/index.ts'
import { ROOT_ID, sampleFact, sampleIntent, sampleMetadata, sampleRun } from '../../support/samples.ts'
import { sample } from '../agents/observe/agent-world.ts'

const row = (over: Partial<BottleFacts> = {}) =>
  bottleRow({
    slug: 'web',
    rootId: ROOT_ID,
    metadata: sampleMetadata(),
    isCorrupt: false,
    snapshots: [],
    current: null,
    intent: null,
    runtime: sampleFact(),
    engineTitle: 'Docker',
    sample: sample({ reason: 'Delete it?' }),
    ...over,
  })

test('a row tells the agent’s own state and what it asks', () => {
  const found = Bottle.parse(row())
  expect(found.agentState).toBe('waiting')
  expect(found.health).toMatchObject({ reason: 'Delete it?', contextPercent: 40, model: 'claude-sonnet-4-5' })
  expect(row({ sample: sample({ state: null }) }).agentState).toBeNull()
})

test('the state stays while the bottle is frozen, and is none while it is paused', () => {
  expect(row({ intent: sampleIntent({ op: 'freeze' }) })).toMatchObject({
    state: 'running',
    agentState: 'waiting',
  })
  expect(row({ runtime: sampleFact({ state: 'paused' }) }).agentState).toBeNull()
})

test('a sample of another run, or of an earlier launch of this one, tells nothing', () => {
  const early = sampleRun({ startedAt: '2026-11-22T00:00:00.000Z' })
  for (const over of [
    { sample: sample({ runId: 'run0' }) },
    { metadata: sampleMetadata({}, { runs: [early] }) },
    { sample: null },
  ]) {
    expect(row(over)).toMatchObject({ agentState: 'working' })
    expect(row(over)).not.toHaveProperty('health')
  }
})

test('a bottle that ended asks nothing any more, and tells what became of restarts', () => {
  const restarts = { count: 3, nextAt: null, gaveUp: 'it was restarted 3 times' }
  const found = row({
    runtime: sampleFact({ state: 'exited', exitCode: 1 }),
    sample: sample({ state: 'exited', reason: 'It ended with code 1.', restarts }),
  })
  expect(found).toMatchObject({ state: 'failed', agentState: 'exited', health: { reason: null, restarts } })
})

test('a runtime that has come back does not show an end of before', () => {
  expect(row({ sample: sample({ state: 'exited' }) })).toMatchObject({
    state: 'running',
    agentState: 'working',
  })
})
