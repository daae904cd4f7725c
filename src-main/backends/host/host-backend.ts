import { lstat, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { isSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { AgentAccess } from '../agent-access.ts'
import type { Backend, ExitFact, LaunchPlan, RemoveResult, RuntimeRef, StopOptions } from '../backend.ts'
import { endFamily } from '../local/end-family.ts'
import { waitUntil } from '../local/wait-until.ts'
import { attachTerminal } from './attach.ts'
import { deleteTree } from './clone-trees.ts'
import { createHostContext, type HostContext } from './host-context.ts'
import { HostFreezer } from './host-freezer.ts'
import { inventory } from './inventory.ts'
import { endRun, launch } from './launch.ts'
import { listRuns } from './list-runs.ts'
import { liveManifest } from './live-trees.ts'
import { bottlePaths, indexFile, snapshotPath } from './paths.ts'
import { preflight } from './preflight.ts'
import { probeHost } from './probe.ts'
import { recoverHost } from './recover.ts'
import { runLogs } from './run-logs.ts'
import { newestRun, pathsOf, processesOf, runState } from './run-record.ts'
import { deleteSnapshotTrees } from './snapshot-trees.ts'
import { watchRuns } from './watch-runs.ts'

/** Finds a runner that was killed and wrote nothing. */
const EXIT_POLL_MS = 2000
const NAME_PREFIX = 'bot-bottle-'

/**
 * Runs bottles as plain processes of this machine, in folders of their own and inside the system's sandbox where
 * there is one. Needs nothing installed. Source: issue 2, "host"; architecture.md, "Processes".
 */
export function createHostBackend(options: {
  readonly rootId: string
  /** State root, absolute. */
  readonly home: string
  readonly env?: NodeJS.ProcessEnv
}): Backend {
  const context = createHostContext(options.rootId, resolve(options.home), options.env ?? process.env)
  let accessOnce: Promise<AgentAccess> | undefined
  return {
    name: 'host',
    freezer: new HostFreezer(context),
    probe: (signal) => probeHost(context, signal),
    list: (_signal, scope) => listRuns(context, scope?.slugs),
    watch: (signal) => watchRuns(context, signal),
    preflight: (plan, signal) => preflight(context, plan, signal),
    launch: (plan, progress, signal) => launch(context, plan, progress, signal),
    restart: (ref, plan, signal) => launch(context, restartPlan(ref, plan), () => undefined, signal),
    wait: (ref, signal) => waitForExit(context, ref, signal),
    stop: (ref, stopOptions, signal) => stopRun(ref, stopOptions, signal),
    runEnded: (ref) => tidyRun(context, ref),
    remove: (ref) => removeRun(context, ref),
    leave: (slug, snapshots, signal) => leaveLive(context, slug, snapshots, signal),
    logs: (ref, logOptions, signal) => runLogs(context, ref, logOptions, signal),
    attach: (ref, size, signal) => attachTerminal(context, ref, size, signal),
    hasChangedSince: async (ref, snapshot, signal) => {
      const { bottle, run } = pathsOf(context.home, ref)
      if ((await runState(run)).kind === 'running') return true
      const live = await liveManifest(bottle, signal)
      return live !== null && live.digest !== snapshot?.digest
    },
    find: (nameOrId) => findRun(context, nameOrId),
    // Here the live files are the runtime: as long as they stand there is work that a freeze can keep.
    isThere: async (ref) => {
      const found = await lstat(pathsOf(context.home, ref).bottle.workspace).catch(() => null)
      return found?.isDirectory() === true
    },
    isNameTaken: async () => false,
    // A snapshot lies in its own bottle's folder, which no other root has.
    isReferenceTaken: async () => false,
    // No other program makes snapshots here.
    tagSnapshot: async () => null,
    discardSnapshot: async (snapshot, signal) => {
      const partsDir = snapshotPath(context.home, snapshot.slug, snapshot.id)
      return { removed: (await deleteSnapshotTrees(partsDir, signal)) ? [partsDir] : [], left: [] }
    },
    // No volumes are ever made here, so none can be left either.
    discardVolumes: async () => ({ removed: [], left: [] }),
    recover: (intent, signal) => recoverHost(context, intent, signal),
    inventory: () => inventory(context),
    access: async () => {
      accessOnce ??= import('./access.ts').then(({ hostAccess }) => hostAccess(context))
      return accessOnce
    },
    portable: async () => (await import('./portable/host-portable.ts')).hostPortable(context),
  }
}

/** A restart is a start in the trees as they are. */
function restartPlan(ref: RuntimeRef, plan: LaunchPlan): LaunchPlan {
  return { ...plan, previous: ref, image: { kind: 'none' }, copyCwd: null }
}

async function waitForExit(
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

async function stopRun(ref: RuntimeRef, options: StopOptions, signal: AbortSignal): Promise<void> {
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
async function tidyRun(context: HostContext, ref: RuntimeRef): Promise<void> {
  const { run } = pathsOf(context.home, ref)
  if ((await runState(run)).kind === 'running') return
  await endRun(context, ref)
  await rm(run.launch, { force: true })
  await deleteTree(run.replaced)
}

/** Ends what runs and forgets the run. The bottle's trees stay: they are state, which the caller owns. */
async function removeRun(context: HostContext, ref: RuntimeRef): Promise<RemoveResult> {
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
async function leaveLive(
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

async function findRun(context: HostContext, nameOrId: string): Promise<RuntimeRef | null> {
  const slug = nameOrId.startsWith(NAME_PREFIX) ? nameOrId.slice(NAME_PREFIX.length) : nameOrId
  if (!isSlug(slug)) return null
  return (await newestRun(bottlePaths(context.home, slug)))?.ref ?? null
}
