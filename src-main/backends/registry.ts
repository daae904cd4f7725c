import type { BackendName } from '../../src-preload/contract/index.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { Backend } from './backend.ts'
import type { Freezer } from './freezer.ts'
import { findProgram, searchPath } from './local/find-program.ts'

/** Backends of this version, in the order in which lists show them. */
export const BACKENDS = [
  'docker',
  'host',
  'macos-container',
  'smolmachines',
] as const satisfies readonly BackendName[]
export type BuiltBackend = (typeof BACKENDS)[number]

/**
 * The program without which a backend has nothing on this machine. Where it is not on the PATH, loops over all engines
 * pass that backend by: one look at some folders, no process, and the adapter is not even loaded.
 */
const PROGRAMS: Readonly<Partial<Record<BackendName, string>>> = {
  'macos-container': 'container',
  smolmachines: 'smolvm',
}

export interface Backends {
  /**
   * The adapter by name; "" is docker, as in metadata written before the field existed.
   * @throws BottleError `unknown-backend` naming the known ones
   */
  get(name: string): Promise<Backend>
  /** The freezer by backend name, under the same rules. Source: seed 001, `get_freezer`. */
  getFreezer(name: string): Promise<Freezer>
  all(): Promise<readonly Backend[]>
  /** False when nothing of that backend can be on this machine, as its program is not; looked up anew each time. */
  isInstalled(name: string): Promise<boolean>
  /** Those that are installed: for whoever looks everywhere and wants no word of engines that nobody uses. */
  installed(): Promise<readonly Backend[]>
}

export interface BackendOptions {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
}

/** The backend a name stands for; pure, so that a wrong name fails before any side effect. */
export function requireBackendName(name: string): BuiltBackend {
  if (name === '') return 'docker'
  const found = BACKENDS.find((known) => known === name)
  if (found) return found
  throw bottleError(
    'unknown-backend',
    `There is no backend ${JSON.stringify(name.slice(0, 60))}. Known backends: ${BACKENDS.join(', ')}.`,
  )
}

/** Makes each adapter on first use, so that a command loads only the engine it needs. */
export function createBackends(options: BackendOptions): Backends {
  const made = new Map<BuiltBackend, Promise<Backend>>()
  const make = async (name: BuiltBackend): Promise<Backend> => {
    switch (name) {
      case 'docker': {
        const { createDockerBackend } = await import('./docker/docker-backend.ts')
        return createDockerBackend(options)
      }
      case 'host': {
        const { createHostBackend } = await import('./host/host-backend.ts')
        return createHostBackend(options)
      }
      case 'macos-container': {
        const { createMacosContainerBackend } = await import('./macos-container/macos-container-backend.ts')
        return createMacosContainerBackend(options)
      }
      case 'smolmachines': {
        const { createSmolBackend } = await import('./smolmachines/smol-backend.ts')
        return createSmolBackend(options)
      }
    }
  }
  const get = async (name: string): Promise<Backend> => {
    const known = requireBackendName(name)
    const backend = made.get(known) ?? make(known)
    made.set(known, backend)
    return backend
  }
  const isInstalled = async (name: string): Promise<boolean> => {
    const program = PROGRAMS[requireBackendName(name)]
    return program === undefined || (await findProgram(program, searchPath(options.env))) !== undefined
  }
  return {
    get,
    isInstalled,
    installed: async () => {
      const found = await Promise.all(BACKENDS.map(async (name) => ((await isInstalled(name)) ? [name] : [])))
      return Promise.all(found.flat().map(get))
    },
    getFreezer: async (name) => (await get(name)).freezer,
    all: () => Promise.all(BACKENDS.map(get)),
  }
}
