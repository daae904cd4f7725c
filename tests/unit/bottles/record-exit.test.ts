import { expect, test } from 'vitest'
import type { Backend } from '../../../src-main/backends/backend.ts'
import { recordExit, waitForExit } from '../../../src-main/bottles/run-lifecycle.ts'
import { latestRun, requireMetadata } from '../../../src-main/state/metadata.ts'
import { type OneEngine, oneEngine } from '../../support/one-engine.ts'
import { sampleRun } from '../../support/samples.ts'

const END = { exitCode: 3, endedAt: '2026-11-21T08:00:00.000Z' }
const { id, startedAt } = sampleRun()

const recordedExit = async ({ deps }: OneEngine) =>
  latestRun(await requireMetadata(deps.root, 'web'))?.exit ?? null

async function record(world: OneEngine): Promise<void> {
  const backend = await world.deps.backends.get('docker')
  await recordExit(world.deps, backend, 'web', { id, startedAt }, END, world.context.signal)
}

test('an end is recorded once all is tidied, so that one that was cut off is tidied anew', async () => {
  const seen: unknown[] = []
  const runEnded: Backend['runEnded'] = async () => {
    seen.push(await recordedExit(world))
  }
  const world = await oneEngine({ runEnded })
  await world.bottle()
  await record(world)
  expect(seen).toEqual([null])
  expect(await recordedExit(world)).toEqual({ code: 3, at: END.endedAt })
})

test('an end is recorded also where the engine can’t tidy up, and the trouble is told', async () => {
  const world = await oneEngine({ runEnded: () => Promise.reject(new Error('engine away')) })
  await world.bottle()
  await expect(record(world)).rejects.toThrow('engine away')
  expect(await recordedExit(world)).toEqual({ code: 3, at: END.endedAt })
})

test('who waits beside somebody that records the end goes on when all is tidied', async () => {
  const tidying = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let isTidied = false
  const runEnded: Backend['runEnded'] = async () => {
    begun.resolve()
    await tidying.promise
    isTidied = true
  }
  // Looked at by the waiter alone: it has come, and found no end recorded.
  const wait: Backend['wait'] = async () => {
    tidying.resolve()
    return END
  }
  const world = await oneEngine({ runEnded, wait })
  await world.bottle()
  const recording = record(world)
  await begun.promise
  await waitForExit(world.deps, 'web', world.context.signal)
  expect(isTidied).toBe(true)
  await recording
})
