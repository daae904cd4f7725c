import type { Duplex } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import { type Engine, SHORT_MS, whileOpening } from './engine.ts'
import { jsonBody } from './engine-http.ts'

/** What a program that was run beside the agent left. */
export interface InsideResult {
  readonly exitCode: number
  readonly output: Buffer
}

/**
 * Runs a program in a running container as the agent's user, by an argument list. Standard output only.
 * @throws BottleError `unsupported` for more output than `most` bytes, `timeout`
 */
export async function runInContainer(
  engine: Engine,
  id: string,
  argv: readonly string[],
  options: { readonly input?: Uint8Array; readonly most: number; readonly timeoutMs?: number },
  signal: AbortSignal,
): Promise<InsideResult> {
  const { input, most, timeoutMs = SHORT_MS } = options
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    return await run(engine, id, argv, input, most, AbortSignal.any([signal, limit]))
  } catch (thrown) {
    if (signal.aborted || !limit.aborted) throw thrown
    throw bottleError('timeout', 'A program in the container did not end in time.', { cause: thrown })
  }
}

async function run(
  engine: Engine,
  id: string,
  argv: readonly string[],
  input: Uint8Array | undefined,
  most: number,
  bounded: AbortSignal,
): Promise<InsideResult> {
  const what = 'run a program in the container'
  const request = {
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/exec`,
    body: jsonBody({ Cmd: argv, AttachStdin: input !== undefined, AttachStdout: true, AttachStderr: false }),
  } as const
  const made = await engine.send<{ Id: string }>(what, request, bounded, SHORT_MS)
  if (!made) throw bottleError('engine-failed', 'Docker did not say which program it runs.')
  const stream = await engine.call(what, bounded, (docker, limited) =>
    whileOpening(limited, (abortSignal) =>
      docker.getExec(made.Id).start({ hijack: true, stdin: input !== undefined, abortSignal }),
    ),
  )
  const output = await collect(stream, input, most, bounded)
  const path = `/exec/${made.Id}/json`
  const { ExitCode } = await engine.get<{ ExitCode: number | null }>(what, path, bounded, SHORT_MS)
  return { exitCode: ExitCode ?? 1, output }
}

async function collect(
  stream: Duplex,
  input: Uint8Array | undefined,
  most: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const { demux } = await import('./logs.ts')
  const abort = (): void => void stream.destroy(new Error('aborted'))
  signal.addEventListener('abort', abort, { once: true })
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    // Not ended: some connections have only one end for both ways, so the program reads what it was told to expect.
    if (input) stream.write(input)
    for await (const chunk of demux(stream as AsyncIterable<Uint8Array>)) {
      bytes += chunk.length
      if (bytes > most) throw bottleError('unsupported', 'A program in the container wrote too much.')
      chunks.push(chunk)
    }
    signal.throwIfAborted()
    return Buffer.concat(chunks)
  } finally {
    signal.removeEventListener('abort', abort)
    stream.destroy()
  }
}
