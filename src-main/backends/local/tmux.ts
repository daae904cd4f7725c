import { randomBytes } from 'node:crypto'
import { bottleError } from '../../system/bottle-error.ts'
import { runCommand } from '../../system/run-command.ts'
import { type Multiplexer, screenText } from './multiplexer.ts'
import { endTerminal, startInteractive, TMUX_MS } from './start-runner.ts'

/** The run's only session, by its exact name: without the equals sign a beginning would do. */
const SESSION = '=agent:'
const ENV = { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8', TERM: 'screen-256color' }

/** Terminals kept by tmux; `program` is its absolute path. */
export function tmuxMultiplexer(program: string): Multiplexer {
  const ask = (address: string, args: readonly string[], signal: AbortSignal, input?: string) =>
    runCommand(program, ['-u', '-S', address, ...args], {
      env: ENV,
      timeout: TMUX_MS,
      signal,
      ...(input === undefined ? {} : { input }),
    }).then((result) => result.stdout)
  // Through a buffer: a text in the arguments would be in the list of processes, and a semicolon would end the command.
  const give = async (address: string, text: string, how: readonly string[], signal: AbortSignal) => {
    const buffer = `icebox-${randomBytes(4).toString('hex')}`
    const paste = [';', 'paste-buffer', '-d', ...how, '-b', buffer, '-t', SESSION]
    await ask(address, ['load-buffer', '-b', buffer, '-', ...paste], signal, text)
  }
  return {
    name: 'tmux',
    start: (run, plan, address, signal) => startInteractive(run, plan, program, address, signal),
    attachCommand: async (address) => ({
      file: program,
      args: ['-u', '-S', address, 'attach-session', '-t', '=agent'],
      env: { PATH: ENV.PATH },
    }),
    typeText: (address, text, signal) => give(address, text, [], signal),
    paste: (address, text, signal) => give(address, text, ['-p'], signal),
    pressKey: async (address, key, signal) => {
      await ask(address, ['send-keys', '-t', SESSION, key], signal)
    },
    capture: async (address, signal) => {
      const size = [';', 'display-message', '-p', '-t', SESSION, '#{pane_width} #{pane_height}']
      const printed = await ask(address, ['capture-pane', '-p', '-t', SESSION, ...size], signal)
      const end = printed.lastIndexOf('\n')
      const [cols = 0, rows = 0] = printed
        .slice(end + 1)
        .split(' ')
        .map(Number)
      if (!(cols > 0 && rows > 0)) {
        throw bottleError('engine-failed', 'tmux did not say how large the terminal is.', {
          detail: printed.slice(-200),
        })
      }
      return screenText(printed.slice(0, end), cols, rows)
    },
    end: (address) => endTerminal(program, address),
  }
}
