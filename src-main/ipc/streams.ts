import { type Failure, failure } from '../../src-preload/contract/errors.ts'
import { STREAM_WINDOW, type StreamName, streams } from '../../src-preload/contract/streams.ts'
import type { TerminalChannel } from '../backends/backend.ts'
import type { Bottles } from '../bottles/services.ts'
import { toFailure } from '../system/bottle-error.ts'
import { createStreamCredit, type StreamCredit } from './stream-credit.ts'

/** The open streams of one connection. Each method but `open` answers false for what a correct page never sends. */
export interface Streams {
  open(id: number, name: string, args: unknown): boolean
  input(id: number, data: string): boolean
  resize(id: number, cols: number, rows: number): boolean
  ack(id: number, bytes: number): boolean
  close(id: number): void
  closeAll(): void
}

export interface StreamPort {
  data(stream: number, chunk: Uint8Array): void
  end(stream: number, error: Failure | null): void
}

interface OpenStream {
  readonly stop: AbortController
  readonly credit: StreamCredit
  isReadOnly: boolean
  channel: TerminalChannel | undefined
  /** The newest size asked for before the terminal was there. */
  size: { readonly cols: number; readonly rows: number } | undefined
}

const MAX_STREAMS = 64
const MAX_CHUNK = 65_536

/** Logs and terminals with credit-based back-pressure; closing one frees what it holds at the engine. */
export function createStreams(bottles: Pick<Bottles, 'logs' | 'attach'>, port: StreamPort): Streams {
  const open = new Map<number, OpenStream>()

  async function pump(id: number, stream: OpenStream, source: AsyncIterable<Uint8Array>): Promise<void> {
    const { signal } = stream.stop
    for await (const chunk of source) {
      for (let at = 0; at < chunk.byteLength; ) {
        const size = Math.min(await stream.credit.available(signal), MAX_CHUNK, chunk.byteLength - at)
        port.data(id, chunk.subarray(at, at + size))
        stream.credit.spend(size)
        at += size
      }
      if (signal.aborted) return
    }
  }

  async function run(id: number, stream: OpenStream, name: StreamName, args: unknown): Promise<void> {
    const { signal } = stream.stop
    if (name === 'logs') {
      const { slug, run: runId, tailBytes } = streams.logs.args.parse(args)
      const options = {
        ...(runId === undefined ? {} : { run: runId }),
        ...(tailBytes === undefined ? {} : { tailBytes }),
      }
      return pump(id, stream, bottles.logs(slug, { ...options, follow: true }, signal))
    }
    const { slug, readOnly, cols, rows } = streams.terminal.args.parse(args)
    stream.isReadOnly = readOnly
    const channel = await bottles.attach(slug, { cols, rows }, signal)
    const leave = (): void => channel.detach()
    signal.addEventListener('abort', leave, { once: true })
    try {
      signal.throwIfAborted()
      stream.channel = channel
      if (stream.size) await channel.resize(stream.size.cols, stream.size.rows)
      await pump(id, stream, channel.data)
    } finally {
      signal.removeEventListener('abort', leave)
      leave()
    }
  }

  function begin(id: number, stream: OpenStream, name: StreamName, args: unknown): void {
    run(id, stream, name, args).then(
      () => finish(id, stream, null),
      (error: unknown) => finish(id, stream, toFailure(error)),
    )
  }

  function finish(id: number, stream: OpenStream, error: Failure | null): void {
    if (open.get(id) !== stream) return
    open.delete(id)
    stream.stop.abort()
    port.end(id, error)
  }

  function forget(id: number): void {
    const stream = open.get(id)
    open.delete(id)
    stream?.stop.abort()
  }

  return {
    open(id, name, args) {
      if (open.has(id)) return false
      const refused = refusal(name, args) ?? (open.size >= MAX_STREAMS ? tooMany() : null)
      if (refused) {
        port.end(id, refused)
        return true
      }
      const stream: OpenStream = {
        stop: new AbortController(),
        credit: createStreamCredit(STREAM_WINDOW),
        isReadOnly: true,
        channel: undefined,
        size: undefined,
      }
      open.set(id, stream)
      begin(id, stream, name as StreamName, args)
      return true
    },
    input(id, data) {
      const stream = open.get(id)
      // A page may type into a stream whose end is still on its way; that is no fault of its.
      if (stream && !stream.isReadOnly) stream.channel?.write(data)
      return true
    },
    resize(id, cols, rows) {
      const stream = open.get(id)
      if (!stream) return true
      stream.size = { cols, rows }
      stream.channel?.resize(cols, rows).catch((error: unknown) => finish(id, stream, toFailure(error)))
      return true
    },
    ack: (id, bytes) => open.get(id)?.credit.refill(bytes) ?? true,
    close: forget,
    closeAll() {
      for (const id of [...open.keys()]) forget(id)
    },
  }
}

function refusal(name: string, args: unknown): Failure | null {
  if (!Object.hasOwn(streams, name))
    return failure('denied', `There is no stream named ${JSON.stringify(name)}.`)
  const parsed = streams[name as StreamName].args.safeParse(args)
  if (parsed.success) return null
  const isSlug = parsed.error.issues.some((issue) => issue.path[0] === 'slug')
  return isSlug ? failure('invalid-slug') : failure('usage', `The stream ${name} has wrong arguments.`)
}

function tooMany(): Failure {
  return failure('busy', `A page may have ${MAX_STREAMS} streams open. Close one first.`)
}
