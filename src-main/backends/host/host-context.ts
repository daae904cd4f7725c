import { findProgram, searchPath } from '../local/find-program.ts'
import { createIsolationProbe, type Isolation } from './isolation.ts'

/** What every part of this backend stands on; made once. */
export interface HostContext {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  isolation(signal: AbortSignal): Promise<Isolation>
  /** Absolute path of tmux, which interactive runs need. */
  tmux(): Promise<string | undefined>
}

export function createHostContext(rootId: string, home: string, env: NodeJS.ProcessEnv): HostContext {
  return {
    rootId,
    home,
    env,
    isolation: createIsolationProbe(env),
    tmux: () => findProgram('tmux', searchPath(env)),
  }
}
