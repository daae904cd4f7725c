import { readCaptureState, removeParts } from './capture-state.ts'
import type { Engine } from './engine.ts'
import { removeTag } from './remove-objects.ts'
import { settleTarget } from './settle-capture.ts'

const DISCARD_MS = 30_000

/** Takes back what a failed capture may have made; false when a commit may still be under way. */
export async function discardTarget(
  engine: Engine,
  containerId: string,
  reference: string,
  partsDir: string,
  signal: AbortSignal,
): Promise<boolean> {
  const state = await readCaptureState(partsDir)
  const outcome = await settleTarget(engine, containerId, reference, state, DISCARD_MS, signal)
  if (outcome === 'unknown') return false
  if (outcome === 'present') await removeTag(engine, reference, signal)
  await removeParts(partsDir)
  return true
}
