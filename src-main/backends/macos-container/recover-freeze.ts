import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { EngineIntent, RecoverResult, RuntimeRef } from '../backend.ts'
import { LABEL } from '../labels.ts'
import { isStopNoted, removeParts } from './capture-state.ts'
import { type FreezeParts, startAgain } from './export-files.ts'
import { inspectImage } from './images.ts'
import { labelsOf, removeOwnImage } from './rebuild.ts'

/** What a capture was making. */
export interface CaptureTrace {
  readonly rootId: string
  readonly reference: string
  readonly partsDir: string
}

/**
 * Takes back what a failed capture made, and starts what it had stopped. False when something is still to be done:
 * whoever comes next tries again. @throws BottleError when the engine does not answer
 */
export async function discardCapture(
  parts: FreezeParts,
  runtime: RuntimeRef,
  trace: CaptureTrace,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await isStopNoted(trace.partsDir)) && (await startAgain(parts, runtime, trace.partsDir)) !== null)
    return false
  await removeOwnImage(parts.client, trace.reference, trace.rootId, signal)
  await removeParts(trace.partsDir)
  return true
}

/**
 * Puts in order what a process left that died in a freeze: the container runs again if it did before, a complete image
 * is taken, half of one is removed. @throws BottleError when the engine does not answer
 */
export async function recoverFreeze(
  parts: FreezeParts,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runtime, target, snapshotId } = intent
  const discarded: RecoverResult = { outcome: 'discarded', runtime, captured: null }
  if (!runtime || !target || !snapshotId) return discarded
  const partsDir = join(intent.stateDir, 'snapshots', `${snapshotId}.d`)
  if (await isStopNoted(partsDir)) {
    const problem = await startAgain(parts, runtime, partsDir)
    if (problem) return { outcome: 'in-doubt', runtime, captured: null }
  }
  const captured = await adoptImage(parts, target, snapshotId, signal)
  if (!captured) await removeOwnImage(parts.client, target, intent.rootId, signal)
  await removeParts(partsDir)
  return captured ? { outcome: 'captured', runtime, captured } : discarded
}

/** The finished capture from the image's own label. The engine names an image only once it has all of it. */
async function adoptImage(
  { client }: FreezeParts,
  target: string,
  snapshotId: string,
  signal: AbortSignal,
): Promise<RecoverResult['captured']> {
  const image = await inspectImage(client, target, signal)
  const labels = image?.variants.map(({ config }) => labelsOf(config)) ?? []
  const own = labels.find((found) => found[LABEL.snapshot] === snapshotId)
  const record = JSON.parse(own?.[LABEL.record] ?? 'null') as Snapshot | null
  if (!image || !record) return null
  return {
    reference: target,
    digest: image.digest,
    fidelity: record.fidelity,
    leftOut: record.leftOut,
    bytes: record.bytes,
    ownBytes: record.ownBytes,
    volumes: [],
    facts: record.facts,
    notices: [],
  }
}
