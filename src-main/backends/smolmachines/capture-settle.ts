import type { RuntimeRef } from '../backend.ts'
import { type CaptureState, clearCaptureState, readCaptureState } from './capture-files.ts'
import { MARKER_PATH } from './capture-ports.ts'
import type { FreezerTools } from './capture-scene.ts'
import { UNMARK_SCRIPT } from './guest-scripts.ts'

const LATE_MS = 600_000

/**
 * Puts a bottle back as it was before a capture touched it: its machine runs with the agent in it, or is stopped.
 * Without the caller's signal: what was begun is ended whatever ended the freeze. Harmless when repeated.
 * @throws BottleError when the machine can't be started or stopped
 */
export async function settleBottle(tools: FreezerTools, ref: RuntimeRef, state: CaptureState): Promise<void> {
  const signal = AbortSignal.timeout(LATE_MS)
  const { machine, wasRunning, isHeld } = state
  const found = await tools.machines.look(machine, signal)
  if (!found) return
  if (wasRunning) {
    if (found.state !== 'running') await startAgain(tools, machine, signal)
    await unmark(tools, machine, signal)
    if (isHeld) await tools.keeper.release(ref, signal)
  } else if (found.state === 'running') {
    await unmark(tools, machine, signal)
    await tools.machines.stop(machine, signal)
  }
}

/** As `settleBottle`, by what a capture wrote down; true when nothing is left to set right. */
export async function settleWritten(
  tools: FreezerTools,
  ref: RuntimeRef,
  partsDir: string,
): Promise<boolean> {
  const state = await readCaptureState(partsDir)
  if (state === null) return true
  // What can't be read can't have been a lie about a machine that stood still: the run's own hold tells.
  const known = state === 'damaged' ? { machine: ref.name, wasRunning: true, isHeld: true } : state
  await settleBottle(tools, ref, known)
  await clearCaptureState(partsDir)
  return true
}

/** A second try: the engine may still be busy with the pack that was broken off. */
async function startAgain(tools: FreezerTools, machine: string, signal: AbortSignal): Promise<void> {
  try {
    await tools.machines.start(machine, signal)
  } catch {
    await tools.machines.start(machine, signal)
  }
}

/** It is only a line of text: a machine that can't remove it is no worse off. */
async function unmark(tools: FreezerTools, machine: string, signal: AbortSignal): Promise<void> {
  await tools.machines
    .exec(machine, ['sh', '-c', UNMARK_SCRIPT, 'icebox', MARKER_PATH], { signal, okCodes: 'any' })
    .catch(() => undefined)
}
