import { resolve } from 'node:path'
import type { Backend } from '../backend.ts'
import { createMachines } from './capture-machines.ts'
import type { FreezerTools } from './capture-scene.ts'
import { createSmolContext } from './context.ts'
import { SmolmachinesFreezer } from './freezer.ts'
import { listRuntimes } from './list.ts'

/** Bottles in small virtual machines, by the `smolvm` program. Cheap to make: a list loads only what a list needs. */
export function createSmolBackend(options: {
  readonly rootId: string
  /** State root. */
  readonly home: string
  readonly env?: NodeJS.ProcessEnv
}): Backend {
  const context = createSmolContext(options.rootId, resolve(options.home), options.env ?? process.env)
  const tools: FreezerTools = {
    home: context.home,
    client: context.client,
    machines: createMachines(context),
    keeper: {
      hold: async (ref) => (await import('./run-life.ts')).holdRun(context, ref),
      release: async (ref, signal) => (await import('./run-life.ts')).releaseRun(context, ref, signal),
    },
  }
  const freezer = new SmolmachinesFreezer(tools)
  return {
    name: 'smolmachines',
    freezer,
    probe: async (signal) => (await import('./probe.ts')).probeSmol(context, signal),
    list: (signal, scope) => listRuntimes(context, signal, scope),
    watch: async function* (signal) {
      yield* (await import('./watch.ts')).watchRuntimes(context, signal)
    },
    preflight: async (plan, signal) => (await import('./preflight.ts')).preflightSmol(context, plan, signal),
    launch: async (plan, progress, signal) =>
      (await import('./launch.ts')).launch(context, plan, progress, signal),
    restart: async (ref, plan, signal) => (await import('./launch.ts')).restart(context, ref, plan, signal),
    wait: async (ref, signal) => (await import('./run-life.ts')).waitForExit(context, ref, signal),
    stop: async (ref, stopOptions, signal) =>
      (await import('./run-life.ts')).stopRun(context, ref, stopOptions, signal),
    runEnded: async (ref, signal) => (await import('./run-life.ts')).endRun(context, ref, signal),
    remove: async (ref, signal) => (await import('./remove-run.ts')).removeRun(context, ref, signal),
    logs: async function* (ref, logOptions, signal) {
      yield* (await import('./logs.ts')).runLogs(context, ref, logOptions, signal)
    },
    attach: async (ref, size, signal) =>
      (await import('./attach.ts')).attachTerminal(context, ref, size, signal),
    hasChangedSince: async (ref, snapshot, signal) =>
      (await import('./changed.ts')).changedSince(context, ref, snapshot, signal),
    find: async (nameOrId, signal) => (await import('./find.ts')).findRuntime(context, nameOrId, signal),
    isThere: async (ref, signal) => (await import('./find.ts')).isRuntimeThere(context, ref, signal),
    isNameTaken: async (name, signal) =>
      (await (await import('./machines.ts')).findMachine(context, name, signal)) !== null,
    // A snapshot lies in its own bottle's folder, which no other root has.
    isReferenceTaken: async () => false,
    tagSnapshot: async (snapshot, signal) =>
      (await import('./tag-snapshot.ts')).tagSnapshotFile(context, snapshot, signal),
    discardSnapshot: async (snapshot) => (await import('./inventory.ts')).discardFiles(context, snapshot),
    // No volumes are ever made here, so none can be left either.
    discardVolumes: async () => ({ removed: [], left: [] }),
    recover: async (intent, signal) => {
      if (intent.op === 'freeze') return freezer.recover(intent, signal)
      const { recoverLaunch, recoverOther, recoverRestart } = await import('./recover.ts')
      if (intent.op === 'restart') return recoverRestart(context, intent, signal)
      const isLaunch = intent.op === 'start' || intent.op === 'resume' || intent.op === 'fork'
      return (isLaunch ? recoverLaunch : recoverOther)(context, intent, signal)
    },
    inventory: async (root, signal) => (await import('./inventory.ts')).takeInventory(context, root, signal),
    dataRoot: async () => (await import('./probe.ts')).smolDataRoot(context),
    portable: async () => {
      const { smolPortable } = await import('./portable/smol-portable.ts')
      return smolPortable(tools)
    },
  }
}
