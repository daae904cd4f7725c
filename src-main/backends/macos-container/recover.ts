import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineIntent, RecoverResult } from '../backend.ts'
import { terminalSocket } from '../local/terminal-socket.ts'
import { removeContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'
import type { FreezeParts } from './export-files.ts'
import { containerOfRun, rebuildRef } from './find-runtime.ts'
import { removeImage } from './images.ts'
import { buildTag } from './names.ts'
import { ownContainer } from './own-container.ts'
import { readStarts, removeRunFolder, runFolder } from './run-folder.ts'
import { closeTerminal } from './start.ts'

const FRESH_MS = 60_000
/** A create of the dead process may still be at work inside the engine. */
const LATE_CREATE_MS = 1000

/** Puts the engine in order after a process died in the middle of an operation. @throws BottleError */
export async function recoverEngine(
  context: ContainerContext,
  parts: FreezeParts,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  if (intent.op === 'freeze')
    return (await import('./recover-freeze.ts')).recoverFreeze(parts, intent, signal)
  if (intent.op === 'start' || intent.op === 'resume' || intent.op === 'fork')
    return recoverLaunch(context, intent, signal)
  // Stop, restart, destroy and adopt can be repeated from any point: nothing is undone here.
  const found = intent.runtime ? await ownContainer(context, intent.runtime, signal) : null
  return { outcome: 'rolled-back', runtime: found ? intent.runtime : null, captured: null }
}

async function recoverLaunch(
  context: ContainerContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { slug, runId, previous } = intent
  if (runId) {
    const folder = runFolder(context.home, slug, runId)
    const entry = await lateContainer(context, runId, intent.startedAt, signal)
    if (entry && hasRun(entry, await readStarts(folder))) {
      return { outcome: 'launched', runtime: await rebuildRef(context, entry), captured: null }
    }
    // A run that never started holds no work.
    await closeTerminal(context, await terminalSocket(context.home, slug, runId))
    if (entry) await removeContainer(context.client, entry.id, signal)
    await removeRunFolder(folder)
    await removeImage(context.client, buildTag(slug, runId), signal)
  }
  return { outcome: 'rolled-back', runtime: previous, captured: null }
}

/** Pure: one that may have run counts as one that has. */
export function hasRun(entry: Pick<ContainerEntry, 'state' | 'startedAt'>, starts: string | null): boolean {
  return entry.state !== 'stopped' || entry.startedAt !== null || starts !== ''
}

/** The run's container; looked for a little longer when a call of the dead process may still be at work. */
async function lateContainer(
  context: ContainerContext,
  runId: string,
  startedAt: string,
  signal: AbortSignal,
): Promise<ContainerEntry | null> {
  const until = Date.now() - Date.parse(startedAt) < FRESH_MS ? Date.now() + LATE_CREATE_MS : 0
  for (;;) {
    const found = await containerOfRun(context, runId, signal)
    if (found || Date.now() > until) return found
    await sleep(200, undefined, { signal })
  }
}
