import type { Backend } from '../backend.ts'
import { attachTerminal } from './attach.ts'
import { changedSince } from './changed.ts'
import { DockerFreezer } from './docker-freezer.ts'
import { listRuntimes } from './docker-list.ts'
import { probeDocker } from './docker-probe.ts'
import { createEngine } from './engine.ts'
import { watchEvents } from './events.ts'
import { findRuntime, isNameTaken, isRuntimeThere } from './find-runtime.ts'
import { discardOwnVolumes, discardSnapshotImage, takeInventory } from './inventory.ts'
import { launchRun } from './launch.ts'
import { readLogs } from './logs.ts'
import { preflightDocker } from './preflight.ts'
import { recoverEngine } from './recover.ts'
import { removeRun } from './remove-run.ts'
import { endRun, restartRun, stopRun, waitForExit } from './run-life.ts'
import { tagSnapshotImage } from './tag-snapshot.ts'

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

/** Bottles on a Docker daemon. Cheap to make: the client library is loaded by the first call that needs it. */
export function createDockerBackend(options: DockerBackendOptions): Backend {
  const { rootId, home } = options
  const engine = createEngine(options.env ?? process.env)
  return {
    name: 'docker',
    probe: (signal) => probeDocker(engine, signal),
    list: (signal, scope) => listRuntimes(engine, rootId, signal, scope),
    watch: (signal) => watchEvents(engine, rootId, signal),
    preflight: (plan, signal) => preflightDocker(engine, home, plan, signal),
    launch: (plan, progress, signal) => launchRun(engine, home, plan, progress, signal),
    restart: (ref, plan, signal) => restartRun(engine, ref, plan, signal),
    wait: (ref, signal) => waitForExit(engine, ref, signal),
    stop: (ref, stopOptions, signal) => stopRun(engine, ref, stopOptions, signal),
    runEnded: (ref, signal) => endRun(engine, ref, signal),
    remove: (ref, signal) => removeRun(engine, rootId, home, ref, signal),
    logs: (ref, logOptions, signal) => readLogs(engine, ref, logOptions, signal),
    attach: (ref, size, signal) => attachTerminal(engine, ref, size, signal),
    hasChangedSince: (ref, snapshot, signal) => changedSince(engine, ref, snapshot, signal),
    find: (nameOrId, signal) => findRuntime(engine, rootId, nameOrId, signal),
    isThere: (ref, signal) => isRuntimeThere(engine, rootId, ref, signal),
    isNameTaken: (name, signal) => isNameTaken(engine, name, signal),
    tagSnapshot: (snapshot, signal) => tagSnapshotImage(engine, snapshot, signal),
    discardSnapshot: (snapshot, signal) => discardSnapshotImage(engine, snapshot, signal),
    discardVolumes: (names, root, signal) => discardOwnVolumes(engine, names, root, signal),
    recover: (intent, signal) => recoverEngine(engine, intent, signal),
    inventory: (root, signal) => takeInventory(engine, root, signal),
    freezer: new DockerFreezer(engine, options.flattenAt),
  }
}
