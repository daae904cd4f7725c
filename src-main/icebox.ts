import type { ManifestSummary } from '../src-preload/contract/index.ts'
import { createBackends } from './backends/registry.ts'
import type { Artifacts } from './bottles/artifact-services.ts'
import type { AgentCheck, CheckRequest } from './bottles/check-agent.ts'
import { artifactDeps, createArtifacts } from './bottles/create-artifacts.ts'
import { createBottles } from './bottles/create-bottles.ts'
import type { BottleDeps } from './bottles/deps.ts'
import type { Bottles } from './bottles/services.ts'
import type { SuperviseOptions } from './bottles/supervise/supervise-root.ts'
import { openStateRoot, type StateRoot } from './state/root.ts'
import type { SettingsStore } from './state/settings.ts'

/** One core: what every face is built on. */
export interface Icebox {
  readonly root: StateRoot
  readonly bottles: Bottles
  /** Frozen bottles as portable files, and what they take up. */
  readonly artifacts: Artifacts
  readonly agents: {
    /** Definitions of the state root and, with a folder, of that project. */
    list(cwd: string | null): Promise<{ agents: ManifestSummary[]; bottles: ManifestSummary[] }>
    /** Writes the sample definitions where they are missing. */
    sample(): Promise<{ agent: string }>
    /** Whether a start would find what it needs on this machine. Looks only. */
    check(request: CheckRequest, signal: AbortSignal): Promise<AgentCheck>
  }
  /** Looks after agents as long as the signal lets it and nobody else does; resolves with how many it leaves running. */
  supervise(options: SuperviseOptions): Promise<number>
  /** Hands the agents that run on to a process of its own, unless another one looks after them already. */
  handOver(): Promise<void>
  /** Opened on first need: most commands need no setting. */
  settings(): Promise<SettingsStore>
  close(): Promise<void>
}

export interface IceboxOptions {
  /** State root; default `$ICEBOX_HOME`, else `~/.bot-bottle`. */
  readonly home?: string | undefined
  /** Makes no state root where there is none. */
  readonly mustExist?: boolean
  readonly env?: NodeJS.ProcessEnv
  /** What opens the settings, on the desktop over electron-store; default conf. Same file, same rules. */
  readonly openSettings?: (root: StateRoot) => Promise<SettingsStore>
}

/** Builds every service once. Parts that cost are loaded on first use, so that `list` stays quick. */
export async function createIcebox(options: IceboxOptions = {}): Promise<Icebox> {
  const env = options.env ?? process.env
  const root = await openStateRoot(options.home, { mustExist: options.mustExist ?? false })
  const deps: BottleDeps = {
    root,
    backends: createBackends({ rootId: root.id, home: root.dir, env }),
    env,
    secrets: async () => (await import('./state/secrets.ts')).createSecretStore(),
  }
  let opened: Promise<SettingsStore> | undefined
  const settings = (): Promise<SettingsStore> => {
    opened ??= options.openSettings
      ? options.openSettings(root)
      : import('./state/settings.ts').then(({ openSettings }) => openSettings(root))
    return opened
  }
  const services = artifactDeps({ ...deps, settings })
  const bottles = createBottles(services)
  const artifacts = createArtifacts(services)
  const kept: Bottles = {
    ...bottles,
    async freeze(request, context) {
      const frozen = await bottles.freeze(request, context)
      await artifacts.keepCopy(frozen.snapshot, context)
      return frozen
    },
  }
  return {
    root,
    bottles: kept,
    async supervise(options) {
      const { superviseRoot } = await import('./bottles/supervise/supervise-root.ts')
      return superviseRoot(services, kept, options)
    },
    async handOver() {
      await (await import('./bottles/supervise/ensure-supervisor.ts')).ensureAnySupervisor(services)
    },
    artifacts,
    agents: {
      async list(cwd) {
        const { listManifests, openManifestIndex } = await import('./agents/manifest-index.ts')
        const { agents, bottles } = await listManifests(await openManifestIndex(root, cwd))
        return { agents: [...agents], bottles: [...bottles] }
      },
      async sample() {
        const { ensureSample } = await import('./agents/sample.ts')
        return ensureSample(root)
      },
      async check(request, signal) {
        const { checkAgent } = await import('./bottles/check-agent.ts')
        return checkAgent(deps, request, signal)
      },
    },
    settings,
    async close() {},
  }
}
