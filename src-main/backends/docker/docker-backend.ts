import type { AgentAccess } from '../agent-access.ts'
import type { Backend } from '../backend.ts'
import { DockerFreezer } from './docker-freezer.ts'
import { listRuntimes } from './docker-list.ts'
import { createEngine } from './engine.ts'

export interface DockerBackendOptions {
  /** UUID of the state root. */
  readonly rootId: string
  /** Folder of the state root. */
  readonly home: string
  /** Where DOCKER_HOST and its like are read; default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Layers from which a freeze flattens. Default 100. */
  readonly flattenAt?: number
}

/**
 * Bottles on a Docker daemon. Cheap to make: a list loads only what a list needs, and the client library is loaded
 * by the first call that uses it.
 */
export function createDockerBackend(options: DockerBackendOptions): Backend {
  const { rootId, home } = options
  const engine = createEngine(options.env ?? process.env)
  let accessOnce: Promise<AgentAccess> | undefined
  return {
    name: 'docker',
    probe: async (signal) => (await import('./docker-probe.ts')).probeDocker(engine, signal),
    list: (signal, scope) => listRuntimes(engine, rootId, signal, scope),
    watch: async function* (signal) {
      yield* (await import('./events.ts')).watchEvents(engine, rootId, signal)
    },
    preflight: async (plan, signal) =>
      (await import('./preflight.ts')).preflightDocker(engine, home, plan, signal),
    launch: async (plan, progress, signal) =>
      (await import('./launch.ts')).launchRun(engine, home, plan, progress, signal),
    restart: async (ref, plan, signal) =>
      (await import('./run-life.ts')).restartRun(engine, home, ref, plan, signal),
    wait: async (ref, signal) => (await import('./run-life.ts')).waitForExit(engine, ref, signal),
    stop: async (ref, stopOptions, signal) =>
      (await import('./run-life.ts')).stopRun(engine, ref, stopOptions, signal),
    runEnded: async (ref, signal) => (await import('./run-life.ts')).endRun(engine, ref, signal),
    remove: async (ref, signal) =>
      (await import('./remove-run.ts')).removeRun(engine, rootId, home, ref, signal),
    logs: async function* (ref, logOptions, signal) {
      yield* (await import('./logs.ts')).readLogs(engine, ref, logOptions, signal)
    },
    attach: async (ref, size, signal) =>
      (await import('./attach.ts')).attachTerminal(engine, home, ref, size, signal),
    hasChangedSince: async (ref, snapshot, signal) =>
      (await import('./changed.ts')).changedSince(engine, ref, snapshot, signal),
    find: async (nameOrId, signal) =>
      (await import('./find-runtime.ts')).findRuntime(engine, rootId, nameOrId, signal),
    isThere: async (ref, signal) =>
      (await import('./find-runtime.ts')).isRuntimeThere(engine, rootId, ref, signal),
    isNameTaken: async (name, signal) =>
      (await import('./find-runtime.ts')).isNameTaken(engine, name, signal),
    isReferenceTaken: async (reference, signal) =>
      (await (await import('./image-source.ts')).inspectImage(engine, reference, signal)) !== null,
    tagSnapshot: async (snapshot, signal) =>
      (await import('./tag-snapshot.ts')).tagSnapshotImage(engine, snapshot, signal),
    discardSnapshot: async (snapshot, signal) =>
      (await import('./inventory.ts')).discardSnapshotImage(engine, rootId, snapshot, signal),
    discardVolumes: async (names, root, signal) =>
      (await import('./inventory.ts')).discardOwnVolumes(engine, names, root, signal),
    recover: async (intent, signal) => (await import('./recover.ts')).recoverEngine(engine, intent, signal),
    inventory: async (root, signal) => (await import('./inventory.ts')).takeInventory(engine, root, signal),
    dataRoot: async (signal) => (await import('./data-root.ts')).dockerDataRoot(engine, home, signal),
    freezer: new DockerFreezer(engine, options.flattenAt),
    access: async () => {
      accessOnce ??= import('./access.ts').then(({ dockerAccess }) => dockerAccess(engine, home))
      return accessOnce
    },
    mountedWorkspace: async (ref, signal) =>
      (await import('./mounted-workspace.ts')).mountedWorkspace(engine, ref, signal),
    portable: async () =>
      (await import('./portable/docker-portable.ts')).dockerPortable(engine, rootId, home),
  }
}
