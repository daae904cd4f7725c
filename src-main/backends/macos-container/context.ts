import { findProgram, searchPath } from '../local/find-program.ts'
import { type ContainerClient, createClient } from './client.ts'

/** What every part of this backend stands on; made once. */
export interface ContainerContext {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly client: ContainerClient
  /** Absolute path of tmux, which interactive runs need. */
  tmux(): Promise<string | undefined>
  /** Tells that this process changed something, so that a watcher looks at once. */
  readonly changes: ChangeBell
}

export interface ChangeBell {
  ring(): void
  /** @returns how to stop listening */
  listen(onRing: () => void): () => void
}

export function createContext(rootId: string, home: string, env: NodeJS.ProcessEnv): ContainerContext {
  const listeners = new Set<() => void>()
  return {
    rootId,
    home,
    client: createClient(env),
    tmux: () => findProgram('tmux', searchPath(env)),
    changes: {
      ring: () => {
        for (const listener of listeners) listener()
      },
      listen: (onRing) => {
        listeners.add(onRing)
        return () => void listeners.delete(onRing)
      },
    },
  }
}
