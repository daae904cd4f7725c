import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isSlug } from '../../state/slug.ts'
import type { AgentAccess } from '../agent-access.ts'
import type { Backend, RuntimeRef } from '../backend.ts'
import { createHostContext, type HostContext } from './host-context.ts'
import { HostFreezer } from './host-freezer.ts'
import { listRuns } from './list-runs.ts'
import { bottlePaths, snapshotPath } from './paths.ts'
import { newestRun, pathsOf } from './run-record.ts'

const NAME_PREFIX = 'bot-bottle-'

/**
 * Runs bottles as plain processes of this machine, in folders of their own and inside the system's sandbox where
 * there is one. Needs nothing installed; a list loads only what a list needs. Source: issue 2, "host"; architecture.md, "Processes".
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
    probe: async (signal) => (await import('./probe.ts')).probeHost(context, signal),
    list: (_signal, scope) => listRuns(context, scope?.slugs),
    watch: async function* (signal) {
      yield* (await import('./watch-runs.ts')).watchRuns(context, signal)
    },
    preflight: async (plan, signal) => (await import('./preflight.ts')).preflight(context, plan, signal),
    launch: async (plan, progress, signal) =>
      (await import('./launch.ts')).launch(context, plan, progress, signal),
    restart: async (ref, plan, signal) =>
      (await import('./run-life.ts')).restartRun(context, ref, plan, signal),
    wait: async (ref, signal) => (await import('./run-life.ts')).waitForExit(context, ref, signal),
    stop: async (ref, stopOptions, signal) =>
      (await import('./run-life.ts')).stopRun(ref, stopOptions, signal),
    runEnded: async (ref) => (await import('./run-life.ts')).tidyRun(context, ref),
    remove: async (ref) => (await import('./run-life.ts')).removeRun(context, ref),
    leave: async (slug, snapshots, signal) =>
      (await import('./run-life.ts')).leaveLive(context, slug, snapshots, signal),
    logs: async function* (ref, logOptions, signal) {
      yield* (await import('./run-logs.ts')).runLogs(context, ref, logOptions, signal)
    },
    attach: async (ref, size, signal) =>
      (await import('./attach.ts')).attachTerminal(context, ref, size, signal),
    hasChangedSince: async (ref, snapshot, signal) =>
      (await import('./run-life.ts')).hasChangedSince(context, ref, snapshot, signal),
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
      const { deleteSnapshotTrees } = await import('./snapshot-trees.ts')
      const partsDir = snapshotPath(context.home, snapshot.slug, snapshot.id)
      return { removed: (await deleteSnapshotTrees(partsDir, signal)) ? [partsDir] : [], left: [] }
    },
    // No volumes are ever made here, so none can be left either.
    discardVolumes: async () => ({ removed: [], left: [] }),
    recover: async (intent, signal) => (await import('./recover.ts')).recoverHost(context, intent, signal),
    inventory: async () => (await import('./inventory.ts')).inventory(context),
    access: async () => {
      accessOnce ??= import('./access.ts').then(({ hostAccess }) => hostAccess(context))
      return accessOnce
    },
    portable: async () => (await import('./portable/host-portable.ts')).hostPortable(context),
  }
}

async function findRun(context: HostContext, nameOrId: string): Promise<RuntimeRef | null> {
  const slug = nameOrId.startsWith(NAME_PREFIX) ? nameOrId.slice(NAME_PREFIX.length) : nameOrId
  if (!isSlug(slug)) return null
  return (await newestRun(bottlePaths(context.home, slug)))?.ref ?? null
}
