import { findProgram, searchPath } from '../local/find-program.ts'
import { type ContainerClient, createClient } from './client.ts'
import { createLooks, type Looks } from './looks.ts'

/** What every part of this backend stands on; made once. */
export interface ContainerContext {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly client: ContainerClient
  /** Absolute path of tmux, which interactive runs need. */
  tmux(): Promise<string | undefined>
  /** Tells that something has changed, so that a watcher looks at once. */
  readonly changes: ChangeBell
  readonly looks: Looks
  /** To be called by whoever changed something: older looks count no more, and watchers look at once. */
  changed(): void
}

export interface ChangeBell {
  ring(): void
  /** @returns how to stop listening */
  listen(onRing: () => void): () => void
}

export function createContext(rootId: string, home: string, env: NodeJS.ProcessEnv): ContainerContext {
  const listeners = new Set<() => void>()
  const looks = createLooks()
  const ring = () => {
    for (const listener of listeners) listener()
  }
  return {
    rootId,
    home,
    client: createClient(env),
    tmux: () => findProgram('tmux', searchPath(env)),
    looks,
    changed: () => {
      looks.forget()
      ring()
    },
    changes: {
      ring,
      listen: (onRing) => {
        listeners.add(onRing)
        return () => void listeners.delete(onRing)
      },
    },
  }
}
