import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineIntent, ExitFact, RecoverResult, RuntimeRef } from '../backend.ts'
import { terminalSocket } from '../local/terminal-socket.ts'
import { readFacts } from './container-facts.ts'
import { removeContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'
import type { FreezeParts } from './export-files.ts'
import { containerOfRun, rebuildRef } from './find-runtime.ts'
import { removeImage } from './images.ts'
import { buildTag } from './names.ts'
import { ownContainer } from './own-container.ts'
import { readExit, readStarts, removeRunFolder, runFolder } from './run-folder.ts'
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
  if (intent.op === 'restart' && intent.runtime)
    return recoverRestart(context, intent, intent.runtime, signal)
  // Stop, destroy and adopt can be repeated from any point: nothing is undone here.
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

/**
 * A restart keeps its run and its container, so what happened to that since tells whether it began. Looked at for a little
 * longer when a call of the dead process may still be at work.
 */
async function recoverRestart(
  context: ContainerContext,
  intent: EngineIntent,
  runtime: RuntimeRef,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { slug, runId, startedAt } = intent
  const { tty } = readFacts(runtime)
  const socket = tty && runId ? await terminalSocket(context.home, slug, runId) : null
  const until = lateUntil(startedAt)
  for (;;) {
    const entry = await ownContainer(context, runtime, signal)
    if (!entry) return { outcome: 'rolled-back', runtime: null, captured: null }
    const exit = runId ? await readExit(runFolder(context.home, slug, runId)) : null
    if (hasRunSince(startedAt, entry, exit)) {
      const again = { ...runtime, facts: { ...runtime.facts, socket } }
      return { outcome: 'launched', runtime: again, captured: null }
    }
    if (Date.now() > until) break
    await sleep(200, undefined, { signal })
  }
  await closeTerminal(context, socket)
  return { outcome: 'rolled-back', runtime, captured: null }
}

/** Pure: it had been stopped before, so one that runs was started since, and so was one that ended since. */
export function hasRunSince(
  time: string,
  entry: Pick<ContainerEntry, 'state' | 'startedAt'>,
  exit: Pick<ExitFact, 'endedAt'> | null,
): boolean {
  const since = (date: string | null | undefined) => Date.parse(date ?? '') > Date.parse(time)
  return entry.state !== 'stopped' || since(entry.startedAt) || since(exit?.endedAt)
}

/** Milliseconds of the epoch until which a call that a dead process began at that time may still be at work. */
function lateUntil(startedAt: string): number {
  return Date.now() - Date.parse(startedAt) < FRESH_MS ? Date.now() + LATE_CREATE_MS : 0
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
  const until = lateUntil(startedAt)
  for (;;) {
    const found = await containerOfRun(context, runId, signal)
    if (found || Date.now() > until) return found
    await sleep(200, undefined, { signal })
  }
}
