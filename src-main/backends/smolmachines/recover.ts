import { rm } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { isSameProcess } from '../../system/process-identity.ts'
import type { EngineIntent, RecoverResult } from '../backend.ts'
import { waitUntil } from '../local/wait-until.ts'
import type { SmolContext } from './context.ts'
import { dropMachines, endRunner } from './launch.ts'
import { findMachine } from './machines.ts'
import { runPaths, type SmolRunPaths } from './run-paths.ts'
import { hasStarted, readRunRef, runState, smolFacts } from './run-state.ts'

/** A runner whose starter died reads the end of its pipe and leaves; this is more than it needs. */
const LEAVE_MS = 1500

/**
 * Completes or takes back a launch whose process died: one whose agent began is a run, everything else is removed.
 * The previous run's machine was never touched. @throws BottleError
 */
export async function recoverLaunch(
  context: SmolContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runId, slug, rootId } = intent
  if (!runId) throw bottleError('corrupt-state', `The intent of ${slug} names no run.`)
  const run = runPaths(context.home, { slug, runId })
  const ref = await readRunRef(run)
  if (ref && (await beganAfterAll(run, signal)) && (await findMachine(context, ref.name, signal))) {
    return { outcome: 'launched', runtime: ref, captured: null }
  }
  if (ref) await endRunner(context, ref)
  const left = await dropMachines(context, { rootId, slug, runId }, signal)
  if (left.length > 0) return { outcome: 'in-doubt', runtime: null, captured: null }
  await rm(run.dir, { recursive: true, force: true })
  return { outcome: 'rolled-back', runtime: intent.previous, captured: null }
}

/** True once the agent was begun; a runner that still waits is given the moment it needs to leave. */
async function beganAfterAll(run: SmolRunPaths, signal: AbortSignal): Promise<boolean> {
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

/**
 * A restart keeps its run and its machine, so what lies there may still be what the former launch has left; the new one's
 * runner is another process. @throws BottleError
 */
export async function recoverRestart(
  context: SmolContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const former = await recoverOther(context, intent, signal)
  const { runtime } = former
  if (!runtime || !intent.runId) return former
  const run = runPaths(context.home, { slug: intent.slug, runId: intent.runId })
  const ref = await readRunRef(run)
  if (!ref || isSameProcess(smolFacts(ref).identity, smolFacts(runtime).identity)) return former
  if (!(await beganAfterAll(run, signal))) {
    await endRunner(context, ref)
    return former
  }
  // An adopted machine stays nobody's: no mark of it says that it is ours.
  const again = { ...ref, facts: { ...ref.facts, root: runtime.facts.root } }
  return { outcome: 'launched', runtime: again, captured: null }
}

/** Stop, destroy and adopt can be repeated from any point: nothing is undone here. @throws BottleError */
export async function recoverOther(
  context: SmolContext,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runtime } = intent
  const found = runtime ? await findMachine(context, runtime.name, signal) : null
  return { outcome: 'rolled-back', runtime: found ? runtime : null, captured: null }
}
