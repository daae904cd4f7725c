import { type Failure, failure } from '../../src-preload/contract/errors.ts'
import { toFailure } from '../system/bottle-error.ts'
import { type Face, type GlobalFlags, makeFace, openStreams, type Streams } from './face.ts'
import { exitCodeOf, failureLine, failureText } from './failures.ts'
import { INTERRUPT_CODES, type Interrupts, watchInterrupts } from './interrupts.ts'

/** Runs one command line and ends the process with its exit code. Source: cli.md. */
export async function main(argv: readonly string[]): Promise<void> {
  let face: Face | undefined
  const interrupts = watchInterrupts(
    (cause) => {
      if (cause === 'SIGINT' && face?.stderr.isTerminal)
        void face.say('Stopping; Ctrl-C again leaves at once.')
    },
    (code) => process.exit(code),
  )
  const streams = openStreams(interrupts)
  const code = await execute(argv, streams, interrupts, (flags) => {
    face = makeFace(flags, streams, interrupts.signal)
    return face
  })
  interrupts.dispose()
  // Not left to the event loop: a connection that is kept alive for a next call must not hold the terminal.
  process.exit(interrupts.cause ? INTERRUPT_CODES[interrupts.cause] : code)
}

/** Runs one command line on the given outputs; its failure is printed there. Resolves with the exit code. */
export async function execute(
  argv: readonly string[],
  streams: Streams,
  interrupts: Pick<Interrupts, 'cause'>,
  open: (flags: GlobalFlags) => Face,
): Promise<number> {
  // Until the command line is parsed, its flags are only guessed; errors need to know about --json even then.
  let face = open({ json: asksForJson(argv) })
  const opened = (flags: GlobalFlags): Face => {
    face = open(flags)
    return face
  }
  return run(argv, streams, opened).catch((thrown: unknown) =>
    fail(toFailure(thrown), argv, face, interrupts.cause),
  )
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

async function run(
  argv: readonly string[],
  streams: Streams,
  opened: (flags: GlobalFlags) => Face,
): Promise<number> {
  const { parseQuick } = await import('./quick.ts')
  const quick = parseQuick(argv)
  if (quick) return quick.run(opened(quick.flags))
  const { runProgram } = await import('./program.ts')
  return runProgram(argv, streams, opened)
}

/** Prints what went wrong, once, and tells the exit code. */
async function fail(
  thrown: Failure,
  argv: readonly string[],
  face: Face,
  cause: Interrupts['cause'],
): Promise<number> {
  if (cause === 'closed') return 0
  // Whatever an abort makes fail on its way out is still the person's own Ctrl-C.
  const failed =
    cause && thrown.code !== 'cancelled'
      ? failure('cancelled', 'Interrupted.', { slug: thrown.slug, detail: thrown.message })
      : thrown
  if (failed.code === 'cancelled' && !cause) {
    if (face.json) await face.stdout.write(`${JSON.stringify({ cancelled: true })}\n`)
    else await face.stderr.write(`${failed.message}\n`)
    return 0
  }
  const text = face.json ? failureLine(failed) : failureText(failed, face.errorPaint, commandOf(argv))
  await face.stderr.write(`${face.stderr.isMidLine ? '\n' : ''}${text}\n`)
  return exitCodeOf(failed)
}

/** The command's name, for the hint of where its usage stands. */
function commandOf(argv: readonly string[]): string | undefined {
  return argv.find((word) => /^[a-z][a-z-]*$/.test(word))
}
