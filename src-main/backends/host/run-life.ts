import { rm } from 'node:fs/promises'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ExitFact, LaunchPlan, RemoveResult, RuntimeRef, StopOptions } from '../backend.ts'
import { endFamily } from '../local/end-family.ts'
import { waitUntil } from '../local/wait-until.ts'
import { deleteTree } from './clone-trees.ts'
import type { HostContext } from './host-context.ts'
import { endRun, launch } from './launch.ts'
import { liveManifest } from './live-trees.ts'
import { bottlePaths, indexFile } from './paths.ts'
import { pathsOf, processesOf, runState } from './run-record.ts'

/** Finds a runner that was killed and wrote nothing. */
const EXIT_POLL_MS = 2000

/** A restart is a start in the trees as they are. */
export function restartRun(
  context: HostContext,
  ref: RuntimeRef,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  const again: LaunchPlan = { ...plan, previous: ref, image: { kind: 'none' }, copyCwd: null }
  return launch(context, again, () => undefined, signal)
}

/** Resolves with the run's end. */
export async function waitForExit(
  context: HostContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ExitFact | null> {
  const { run } = pathsOf(context.home, ref)
  const ended = await waitUntil([run.dir], EXIT_POLL_MS, signal, async () => {
    const state = await runState(run)
    return state.kind === 'running' ? undefined : state
  })
  return ended.kind === 'exited' ? ended.exit : null
}

/** Ends the agent with all that belongs to it. @throws BottleError `timeout` */
export async function stopRun(ref: RuntimeRef, options: StopOptions, signal: AbortSignal): Promise<void> {
  const left = await endFamily(processesOf(ref), options.graceSeconds, signal)
  if (left.length > 0) {
    throw bottleError(
      'timeout',
      `Process ${left.join(', ')} of ${ref.slug} does not end, not even when killed.`,
      {
        slug: ref.slug,
      },
    )
  }
}

/** After the agent's end nothing of its run goes on, and nothing that was meant for it stays readable. */
export async function tidyRun(context: HostContext, ref: RuntimeRef): Promise<void> {
  const { run } = pathsOf(context.home, ref)
  if ((await runState(run)).kind === 'running') return
  await endRun(context, ref)
  await rm(run.launch, { force: true })
  await deleteTree(run.replaced)
}

/** Ends what runs and forgets the run. The bottle's trees stay: they are state, which the caller owns. */
export async function removeRun(context: HostContext, ref: RuntimeRef): Promise<RemoveResult> {
  const { bottle, run } = pathsOf(context.home, ref)
  const existed = (await runState(run)).kind !== 'gone'
  const left = await endRun(context, ref)
  if (left.length > 0) return { removed: [], left: left.map((pid) => `process ${pid} of ${ref.name}`) }
  await rm(run.dir, { recursive: true, force: true })
  await rm(indexFile(context.home, bottle.slug, run.runId), { force: true })
  await deleteTree(run.replaced)
  return { removed: existed ? [ref.name] : [], left: [] }
}

/** Nothing but what a snapshot holds is ever deleted: the digest of the trees has to be one of theirs. */
export async function leaveLive(
  context: HostContext,
  slug: string,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
): Promise<RemoveResult> {
  const bottle = bottlePaths(context.home, slug)
  const live = await liveManifest(bottle, signal)
  if (!live) return { removed: [], left: [] }
  const isKept = snapshots.some(({ backend, digest }) => backend === 'host' && digest === live.digest)
  if (!isKept) return { removed: [], left: [bottle.live] }
  await deleteTree(bottle.live)
  return { removed: [bottle.live], left: [] }
}

/** True when the live files are not what the snapshot holds, or may be other ones in a moment. */
export async function hasChangedSince(
  context: HostContext,
  ref: RuntimeRef,
  snapshot: Snapshot | null,
  signal: AbortSignal,
): Promise<boolean> {
  const { bottle, run } = pathsOf(context.home, ref)
  if ((await runState(run)).kind === 'running') return true
  const live = await liveManifest(bottle, signal)
  return live !== null && live.digest !== snapshot?.digest
}
