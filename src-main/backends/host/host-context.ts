import { bottleError } from '../../system/bottle-error.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import type { Multiplexer, MultiplexerName } from '../local/multiplexer.ts'
import { createIsolationProbe, type Isolation } from './isolation.ts'

/** What every part of this backend stands on; made once. */
export interface HostContext {
  readonly rootId: string
  /** Absolute path of the state root. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  isolation(signal: AbortSignal): Promise<Isolation>
  /** Absolute path of the program that keeps the terminals of interactive runs. */
  terminalProgram(name: MultiplexerName): Promise<string | undefined>
  /** @throws BottleError `engine-missing` when its program is not installed */
  multiplexer(name: MultiplexerName): Promise<Multiplexer>
}

export function createHostContext(rootId: string, home: string, env: NodeJS.ProcessEnv): HostContext {
  const terminalProgram = (name: MultiplexerName) => findProgram(name, searchPath(env))
  return {
    rootId,
    home,
    env,
    isolation: createIsolationProbe(env),
    terminalProgram,
    multiplexer: async (name) => {
      const program = await terminalProgram(name)
      if (!program) {
        throw bottleError(
          'engine-missing',
          `A terminal on this machine needs ${name}. Install it: ${installOf(name)}`,
        )
      }
      if (name === 'screen') return (await import('../local/screen.ts')).screenMultiplexer(program)
      return (await import('../local/tmux.ts')).tmuxMultiplexer(program)
    },
  }
}

/** The command that installs it. Pure. */
export function installOf(name: MultiplexerName): string {
  return process.platform === 'darwin' ? `brew install ${name}` : `sudo apt install ${name}`
}
