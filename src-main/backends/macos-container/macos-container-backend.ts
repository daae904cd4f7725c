import type { Backend, RuntimeRef } from '../backend.ts'
import { createContext } from './context.ts'
import type { FreezeParts } from './export-files.ts'
import { MacosContainerFreezer } from './freezer.ts'

/** Seconds that an agent gets to end by itself before a freeze that has to stop it. */
const FREEZE_GRACE_S = 10

/**
 * Bottles on Apple's `container`, through its command line. Cheap to make: a list loads only what a list needs, and
 * nothing is looked for before the first call. Source: issue 5; cli-contracts.md, section 1.
 */
export function createMacosContainerBackend(options: {
  readonly rootId: string
  /** State root, absolute. */
  readonly home: string
  readonly env?: NodeJS.ProcessEnv
}): Backend {
  const context = createContext(options.rootId, options.home, options.env ?? process.env)
  const parts: FreezeParts = {
    client: context.client,
    home: context.home,
    stop: async (ref, signal) =>
      (await import('./run-life.ts')).stopRun(context, ref, { graceSeconds: FREEZE_GRACE_S }, signal),
    startAgain: async (ref, signal) => void (await startAgain(ref, signal)),
  }
  const startAgain = async (ref: RuntimeRef, signal: AbortSignal) => {
    const [{ startContainer }, { readFacts }] = await Promise.all([
      import('./start.ts'),
      import('./container-facts.ts'),
    ])
    const { id, slug, runId } = ref
    const { tty, hasShell } = readFacts(ref)
    return startContainer(context, { id, slug, runId, tty, hasShell }, signal)
  }
  return {
    name: 'macos-container',
    freezer: new MacosContainerFreezer(parts),
    probe: async (signal) => (await import('./probe.ts')).probeContainer(context, signal),
    startEngine: async (signal) => (await import('./probe.ts')).startSystem(context, signal),
    list: async (signal, scope) => (await import('./list.ts')).listRuntimes(context, signal, scope),
    watch: async function* (signal) {
      yield* (await import('./watch.ts')).watchRuntimes(context, signal)
    },
    preflight: async (plan, signal) => (await import('./preflight.ts')).preflight(context, plan, signal),
    launch: async (plan, progress, signal) =>
      (await import('./launch.ts')).launchRun(context, plan, progress, signal),
    restart: async (ref, plan, signal) =>
      (await import('./run-life.ts')).restartRun(context, ref, plan, signal),
    wait: async (ref, signal) => (await import('./run-life.ts')).waitForExit(context, ref, signal),
    stop: async (ref, stopOptions, signal) =>
      (await import('./run-life.ts')).stopRun(context, ref, stopOptions, signal),
    runEnded: async (ref, signal) => (await import('./run-life.ts')).endRun(context, ref, signal),
    remove: async (ref, signal) => (await import('./remove-run.ts')).removeRun(context, ref, signal),
    logs: async function* (ref, logOptions, signal) {
      yield* (await import('./logs.ts')).readLogs(context, ref, logOptions, signal)
    },
    attach: async (ref, size, signal) =>
      (await import('./attach.ts')).attachTerminal(context, ref, size, signal),
    hasChangedSince: async (ref, snapshot, signal) => {
      const [{ hasMoved, standPoint }, { ownContainer }] = await Promise.all([
        import('./stand.ts'),
        import('./own-container.ts'),
      ])
      const entry = await ownContainer(context, ref, signal, 'recent')
      return hasMoved(entry ? await standPoint(context.home, ref, entry) : null, snapshot)
    },
    find: async (nameOrId, signal) =>
      (await import('./find-runtime.ts')).findRuntime(context, nameOrId, signal),
    isThere: async (ref, signal) =>
      (await (await import('./own-container.ts')).ownContainer(context, ref, signal, 'recent')) !== null,
    isNameTaken: async (name, signal) =>
      (await import('./find-runtime.ts')).isNameTaken(context, name, signal),
    isReferenceTaken: async (reference, signal) =>
      (await (await import('./images.ts')).inspectImage(context.client, reference, signal)) !== null,
    tagSnapshot: async (snapshot, signal) =>
      (await import('./inventory.ts')).tagSnapshotImage(context, snapshot, signal),
    discardSnapshot: async (snapshot, signal) =>
      (await import('./inventory.ts')).discardSnapshotImage(context, snapshot, signal),
    // No volumes are ever made here, so none can be left either.
    discardVolumes: async () => ({ removed: [], left: [] }),
    recover: async (intent, signal) =>
      (await import('./recover.ts')).recoverEngine(context, parts, intent, signal),
    inventory: async (rootId, signal) =>
      (await import('./inventory.ts')).takeInventory(context, rootId, signal),
    dataRoot: async (signal) => (await import('./probe.ts')).containerDataRoot(context, signal),
    portable: async () => (await import('./portable/macos-portable.ts')).macosPortable(context),
  }
}
