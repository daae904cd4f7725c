import { connect, type Socket } from 'node:net'

/** Memory for several reads: a socket gives up to 200 kB at a time. */
const SLAB_BYTES = 1 << 20
const LEAST_ROOM = 1 << 16
/** Chunks that wait for the reader before the socket is held back. */
const AHEAD = 4
const MAX_HEAD = 1 << 16

/**
 * The body of one GET over a local socket, in large chunks: HTTP/1.0 by hand, so that a gigabyte is not taken apart
 * and put together again in frames. The answer's end is the connection's end, so the content has to tell by itself
 * whether it is whole. Throws raw: the caller maps errors.
 */
export async function* streamOverSocket(
  socketPath: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const inbox = createInbox()
  const socket = openSocket(socketPath, inbox)
  const abort = () => inbox.end(signal.reason ?? new Error('aborted'))
  signal.addEventListener('abort', abort, { once: true })
  socket.on('connect', () => socket.write(`GET ${path} HTTP/1.0\r\nHost: docker\r\n\r\n`))
  const next = async () => {
    const chunk = await inbox.next()
    if (inbox.isShort()) socket.resume()
    return chunk
  }
  try {
    const { status, rest } = await readHead(next)
    if (status !== 200) throw await refusal(status, rest, next)
    if (rest.length > 0) yield rest
    for (let chunk = await next(); chunk; chunk = await next()) yield chunk
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}

interface Inbox {
  /** False when the giver should wait. */
  put(chunk: Uint8Array): boolean
  end(error?: unknown): void
  /** Null at the end. */
  next(): Promise<Uint8Array | null>
  isShort(): boolean
}

function createInbox(): Inbox {
  const chunks: Uint8Array[] = []
  let ended: { readonly error: unknown } | null = null
  let wake = () => {}
  return {
    put(chunk) {
      chunks.push(chunk)
      wake()
      return chunks.length < AHEAD
    },
    end(error = null) {
      ended ??= { error }
      wake()
    },
    async next() {
      while (chunks.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      // What was cut off is of no use any more; what came before a plain end is.
      if (ended?.error) throw ended.error
      return chunks.shift() ?? null
    },
    isShort: () => chunks.length < AHEAD,
  }
}

function openSocket(socketPath: string, inbox: Inbox): Socket {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  let used = 0
  const socket = connect({
    path: socketPath,
    onread: {
      buffer: () => {
        if (slab.length - used < LEAST_ROOM) {
          slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
          used = 0
        }
        return slab.subarray(used)
      },
      callback: (bytes, buffer) => {
        used += bytes
        return inbox.put(buffer.subarray(0, bytes))
      },
    },
  })
  socket.on('error', (error) => inbox.end(error))
  socket.on('end', () => inbox.end())
  socket.on('close', () => inbox.end())
  return socket
}

async function readHead(
  next: () => Promise<Uint8Array | null>,
): Promise<{ readonly status: number; readonly rest: Buffer }> {
  let head = Buffer.alloc(0)
  for (;;) {
    const end = head.indexOf('\r\n\r\n')
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.subarray(0, 20).toString('latin1'))?.[1]
    if (end !== -1 && status) return { status: Number(status), rest: head.subarray(end + 4) }
    const chunk = end === -1 && head.length < MAX_HEAD ? await next() : null
    if (!chunk) {
      throw Object.assign(new Error('the daemon ended the connection early'), { code: 'ECONNRESET' })
    }
    head = Buffer.concat([head, chunk])
  }
}

/** The daemon's own words, in the shape of other answers. */
async function refusal(status: number, rest: Buffer, next: () => Promise<Uint8Array | null>): Promise<Error> {
  let text = rest.toString('utf8')
  for (let chunk = await next(); chunk && text.length < MAX_HEAD; chunk = await next())
    text += Buffer.from(chunk).toString('utf8')
  return Object.assign(new Error(messageOf(text)), { statusCode: status })
}

/** Pure: the sentence in an engine's refusal, or the text as it is. */
export function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // Not JSON: the text itself is the message.
  }
  return text
}
