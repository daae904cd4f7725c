import { bottleError } from '../../system/bottle-error.ts'
import { isSameProcess } from '../../system/process-identity.ts'
import type { EngineIntent, RecoverResult, RuntimeRef } from '../backend.ts'
import { terminalAddress } from '../local/terminal-socket.ts'
import { waitUntil } from '../local/wait-until.ts'
import { capturedOf, ownTarget } from './capture.ts'
import type { HostContext } from './host-context.ts'
import { dropRunFolder, endRun, endTerminal, hasStarted, settleLaunch } from './launch.ts'
import { isFolder, rollBackLive } from './live-trees.ts'
import { bottlePaths, runPaths } from './paths.ts'
import { endDeadPause } from './pause-family.ts'
import { hostFacts, processesOf, readRunRecord, runIdsOf, runState } from './run-record.ts'
import { deleteSnapshotTrees, isIntact, readManifest } from './snapshot-trees.ts'

/** A runner whose starter died reads the end of its pipe and leaves; this is more than it needs. */
const LEAVE_MS = 1500

/** Completes or takes back what a dead process left half-done. The caller holds the bottle's lock. */
export async function recoverHost(
  context: HostContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  switch (intent.op) {
    case 'freeze':
      return recoverFreeze(context, intent, signal)
    case 'start':
    case 'resume':
    case 'fork':
      return recoverLaunch(context, intent, signal)
    case 'restart':
      return recoverRestart(context, intent, signal)
    case 'stop':
    case 'destroy':
    case 'adopt':
      await wakeUp(context, intent.runtime)
      return { outcome: 'rolled-back', runtime: intent.runtime, captured: null }
  }
}

async function wakeUp(context: HostContext, runtime: RuntimeRef | null): Promise<void> {
  if (runtime?.backend !== 'host') return
  const run = runPaths(bottlePaths(context.home, runtime.slug), runtime.runId)
  await endDeadPause(processesOf(runtime), run.pause)
}

async function recoverFreeze(
  context: HostContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  await wakeUp(context, intent.runtime)
  const partsDir = ownTarget(context.home, intent.slug, intent.target)
  if (!partsDir) return { outcome: 'discarded', runtime: intent.runtime, captured: null }
  const manifest = (await isFolder(partsDir)) ? await readManifest(partsDir) : null
  if (manifest && (await isIntact(partsDir, manifest, signal))) {
    return { outcome: 'captured', runtime: intent.runtime, captured: capturedOf(partsDir, manifest, null) }
  }
  await deleteSnapshotTrees(partsDir, signal)
  return { outcome: 'discarded', runtime: intent.runtime, captured: null }
}

async function recoverLaunch(
  context: HostContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  if (!intent.runId) throw bottleError('corrupt-state', `The intent of ${intent.slug} names no run.`)
  const bottle = bottlePaths(context.home, intent.slug)
  const run = runPaths(bottle, intent.runId)
  const record = await readRunRecord(run)
  if (record && (await beganAfterAll(run, signal))) {
    await settleLaunch(context, bottle, run)
    return { outcome: 'launched', runtime: record.ref, captured: null }
  }
  if (record) await endRun(context, record.ref)
  // A terminal that was opened just before the death waits for its word under no record, but its address is known.
  else {
    for (const name of ['tmux', 'screen'] as const) {
      await endTerminal(context, name, await terminalAddress(name, context.home, intent.slug, intent.runId))
    }
  }
  await dropRunFolder(context, bottle, run)
  // A restart swaps no trees: what lies beside them is of an earlier resume, and older than the work.
  if (intent.op === 'restart') return { outcome: 'rolled-back', runtime: intent.runtime, captured: null }
  const isNew = (intent.op === 'start' || intent.op === 'fork') && !intent.previous
  const isMade = isNew && (await runIdsOf(bottle)).length === 0 && !(await isFolder(bottle.snapshots))
  await rollBackLive(bottle, run, isMade)
  return { outcome: 'rolled-back', runtime: intent.previous, captured: null }
}

/** A restart keeps the run's id, so what lies there may still be what the former launch has left. */
async function recoverRestart(
  context: HostContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runtime, runId } = intent
  const former = { outcome: 'rolled-back', runtime, captured: null } as const
  if (runtime?.backend !== 'host' || runId === null) return former
  const record = await readRunRecord(runPaths(bottlePaths(context.home, intent.slug), runId))
  if (record && isSameProcess(hostFacts(record.ref).identity, hostFacts(runtime).identity)) return former
  const result = await recoverLaunch(context, intent, signal)
  return result.outcome === 'launched' ? result : former
}

/** True once the agent was begun; a runner that still waits is given the moment it needs to leave. */
async function beganAfterAll(run: Parameters<typeof runState>[0], signal: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LEAVE_MS)])
  try {
    return await waitUntil([run.dir], 50, patience, async () => {
      const isOver = (await runState(run)).kind !== 'running'
      if (await hasStarted(run)) return true
      return isOver ? false : undefined
    })
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return false
  }
}
