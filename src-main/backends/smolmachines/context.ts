import { findProgram, searchPath } from '../local/find-program.ts'
import { createSmolClient, type SmolClient } from './client.ts'

/** What every part of this backend stands on; made once. */
export interface SmolContext {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  readonly client: SmolClient
  /** Absolute path of tmux, which interactive runs need. */
  tmux(): Promise<string | undefined>
}

export function createSmolContext(rootId: string, home: string, env: NodeJS.ProcessEnv): SmolContext {
  return {
    rootId,
    home,
    env,
    client: createSmolClient(env),
    tmux: () => findProgram('tmux', searchPath(env)),
  }
}
