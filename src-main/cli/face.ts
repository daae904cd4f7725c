import type { Interrupts } from './interrupts.ts'
import { type Output, openOutput } from './output.ts'
import { hasUnicode, type Paint, paintFor } from './style.ts'
import { oneLine } from './width.ts'

/** The flags that every command takes. */
export interface GlobalFlags {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly home?: string
}

/** What a command prints at its end, in the three forms that a caller may ask for. */
export interface CommandResult {
  readonly json: unknown
  /** For a person; empty prints nothing. */
  readonly text: string
  /** The one essential value, for `--quiet`; without it quiet prints nothing. */
  readonly essential?: string
}

/** A command's view of the outside: where it writes, whom it can ask, and when it must stop. */
export interface Face {
  readonly json: boolean
  readonly quiet: boolean
  /** The `--home` flag as given. */
  readonly home: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly signal: AbortSignal
  readonly stdout: Output
  readonly stderr: Output
  readonly paint: Paint
  readonly errorPaint: Paint
  readonly unicode: boolean
  /** A person sits at a terminal and can be asked. */
  readonly canAsk: boolean
  /** Prints the result, once, on stdout. */
  result(result: CommandResult): Promise<void>
  /** A hint for a person, on stderr; silent with `--json` and `--quiet`. */
  say(text: string): Promise<void>
  /** A warning, on stderr, always. */
  warn(text: string): Promise<void>
}

/** The two streams of this process, opened once. */
export interface Streams {
  readonly stdout: Output
  readonly stderr: Output
}

/** Opens stdout and stderr; a stdout that nobody reads any more ends the command. */
export function openStreams(interrupts: Interrupts): Streams {
  return {
    stdout: openOutput(process.stdout, () => interrupts.interrupt('closed')),
    stderr: openOutput(process.stderr, () => {}),
  }
}

/** Builds a command's face from its flags. */
export function makeFace(flags: GlobalFlags, streams: Streams, signal: AbortSignal): Face {
  const { env } = process
  const { stdout, stderr } = streams
  const json = flags.json === true
  const quiet = flags.quiet === true
  const errorPaint = paintFor(stderr.isTerminal, env)
  const line = (text: string) => (stderr.isMidLine ? `\n${text}\n` : `${text}\n`)
  return {
    json,
    quiet,
    home: flags.home,
    env,
    cwd: process.cwd(),
    signal,
    stdout,
    stderr,
    paint: paintFor(stdout.isTerminal, env),
    errorPaint,
    unicode: hasUnicode(stdout.isTerminal, env),
    canAsk: process.stdin.isTTY === true && stderr.isTerminal && env.TERM !== 'dumb',
    async result(result) {
      if (json) return stdout.write(`${JSON.stringify(result.json)}\n`)
      const text = quiet ? (result.essential ?? '') : result.text
      if (text !== '') await stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },
    async say(text) {
      if (!json && !quiet) await stderr.write(line(text))
    },
    async warn(text) {
      await stderr.write(line(`${errorPaint('yellow', 'icebox:')} ${oneLine(text)}`))
    },
  }
}
