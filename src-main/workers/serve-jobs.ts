import type { MessagePort } from 'node:worker_threads'
import { bottleError, toFailure } from '../system/bottle-error.ts'
import { decompress, detectCodec } from './decompress.ts'
import { giveBackChunk } from './give-back.ts'
import { type PackSession, startPackSession } from './pack-session.ts'
import type { FromThread, ToThread } from './protocol.ts'
import { openHashed } from './read-file.ts'
import { scanLayer } from './scan-layer.ts'
import type { Codec } from './types.ts'
import { createSweeper } from './young-garbage.ts'

/** Bytes per message of an unpacked stream. */
const CHUNK = 1 << 20
/** Chunks on their way before the reader asked for the first. */
const AHEAD = 3

interface Running {
  readonly abort: AbortController
  /** Chunks that may still be sent. */
  credit: number
  /** Of chunks that came back. */
  readonly memory: ArrayBuffer[]
  wake: (() => void) | null
}

/** Answers the jobs of one port: the inside of a worker thread. */
export function serveJobs(port: MessagePort): void {
  const running = new Map<number, Running>()
  const sessions = new Map<number, PackSession>()
  const send = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

  async function run(message: Exclude<ToThread, { job: 'cancel' | 'more' }>): Promise<unknown> {
    const { id } = message
    switch (message.job) {
      case 'pack-block': {
        const { key, codec, input, before } = message.args
        const session = sessions.get(key) ?? startPackSession(codec)
        sessions.set(key, session)
        return session.add(input, before)
      }
      case 'pack-end': {
        const { key, codec } = message.args
        const session = sessions.get(key) ?? startPackSession(codec)
        sessions.delete(key)
        return session.end()
      }
      case 'scan':
        return scanLayer(message.args.file, message.args.options, start(id).abort.signal)
      case 'hash': {
        const input = await openHashed(message.args.file, start(id).abort.signal)
        try {
          return await input.finish()
        } finally {
          await input.close()
        }
      }
      case 'unpack':
        return unpack(id, message.args.file, message.args.codec, start(id))
    }
  }

  function start(id: number): Running {
    const made: Running = { abort: new AbortController(), credit: AHEAD, memory: [], wake: null }
    running.set(id, made)
    return made
  }

  /** Sends content in pieces of one size, as fast as they are asked for. */
  function sender(id: number, job: Running) {
    const sweep = createSweeper()
    const gather = createGatherer(job.memory)
    const give = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
      while (job.credit === 0 && !job.abort.signal.aborted) {
        await new Promise<void>((resolve) => {
          job.wake = resolve
        })
      }
      if (job.abort.signal.aborted) throw bottleError('cancelled')
      job.credit--
      sweep(bytes.length)
      send({ id, kind: 'chunk', bytes }, [bytes.buffer])
    }
    return {
      /** A promise when a piece was full: only then there is something to wait for. */
      take(chunk: Buffer): Promise<void> | undefined {
        const pieces = gather.add(chunk)
        return pieces.length === 0 ? undefined : inTurn(pieces, give)
      },
      async end(): Promise<void> {
        const last = gather.rest()
        if (last) await give(last)
      },
    }
  }

  async function unpack(id: number, file: string, codec: Codec | 'detect', job: Running): Promise<null> {
    const input = await openHashed(file, job.abort.signal, false)
    const out = sender(id, job)
    try {
      const source = input.rest()
      const first = await source.next()
      const head = first.done ? Buffer.alloc(0) : first.value
      const known = codec === 'detect' ? detectCodec(head) : codec
      for await (const chunk of decompress(prepended(head, source), known)) {
        await out.take(chunk)
        giveBackChunk(chunk)
      }
      await out.end()
      return null
    } finally {
      await input.close()
    }
  }

  port.on('message', (message: ToThread) => {
    const job = running.get(message.id)
    if (message.job === 'cancel' || message.job === 'more') {
      if (message.job === 'cancel') job?.abort.abort()
      else if (job) {
        job.credit++
        if (message.job === 'more' && message.memory) job.memory.push(message.memory)
      }
      job?.wake?.()
      return
    }
    run(message)
      .then(
        (value) => {
          const isMemory = value instanceof Uint8Array && value.buffer instanceof ArrayBuffer
          send({ id: message.id, kind: 'result', value }, isMemory ? [value.buffer] : [])
        },
        (error: unknown) => send({ id: message.id, kind: 'failed', failure: toFailure(error) }),
      )
      .finally(() => running.delete(message.id))
  })
}

async function* prepended(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  yield* rest
}

/** Gathers pieces of one size in memory of their own, which can be handed to another thread without a copy. */
function createGatherer(memory: ArrayBuffer[]) {
  const take = () => {
    const used = memory.pop()
    return used?.byteLength === CHUNK ? new Uint8Array(used) : new Uint8Array(CHUNK)
  }
  let piece = take()
  let filled = 0
  return {
    add(chunk: Buffer): Uint8Array<ArrayBuffer>[] {
      const full: Uint8Array<ArrayBuffer>[] = []
      for (let at = 0; at < chunk.length; ) {
        const part = Math.min(CHUNK - filled, chunk.length - at)
        piece.set(chunk.subarray(at, at + part), filled)
        filled += part
        at += part
        if (filled < CHUNK) continue
        full.push(piece)
        piece = take()
        filled = 0
      }
      return full
    },
    rest(): Uint8Array<ArrayBuffer> | null {
      return filled > 0 ? piece.slice(0, filled) : null
    },
  }
}

async function inTurn<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await run(item)
}
