import { Writable } from 'node:stream'
import { makeFace } from '../../src-main/cli/face.ts'
import { execute } from '../../src-main/cli/main.ts'
import { openOutput } from '../../src-main/cli/output.ts'

/** What a command line wrote, and its exit code. */
export interface Executed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs one command line in this process, for steps of a test that are not about the process itself: a process of its own
 * costs more than most commands do.
 * @param home the state root; the command's folder is `cwd` in it
 */
export async function executeHere(argv: readonly string[], home: string, cwd: string): Promise<Executed> {
  const stdout = collector()
  const stderr = collector()
  const streams = {
    stdout: openOutput(stdout.stream, () => undefined),
    stderr: openOutput(stderr.stream, () => undefined),
  }
  const never = new AbortController().signal
  const code = await execute(argv, streams, { cause: null }, (flags) => ({
    ...makeFace({ ...flags, home: flags.home ?? home }, streams, never),
    cwd,
    canAsk: false,
  }))
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
