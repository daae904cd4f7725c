import type { LogOptions, RuntimeRef } from '../backend.ts'
import type { Engine } from './engine.ts'
import { inspectContainer } from './remove-objects.ts'

/** A container's output, raw, both streams as they came. Missing containers have none. @throws BottleError */
export async function* readLogs(
  engine: Engine,
  ref: RuntimeRef,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found) return
  const open = async (follow: boolean) => {
    const path = `/containers/${ref.id}/logs?stdout=1&stderr=1${follow ? '&follow=1' : ''}`
    const stream = await engine.stream(`read the output of ${ref.name}`, path, signal)
    return found.Config.Tty ? (stream as AsyncIterable<Uint8Array>) : demux(stream)
  }
  try {
    if (options.tailBytes === undefined) yield* await open(options.follow)
    else if (!options.follow) yield* await lastBytes(await open(false), options.tailBytes)
    else {
      // The engine counts lines, not bytes: measure first, then skip.
      let total = 0
      for await (const chunk of await open(false)) total += chunk.length
      yield* skipBytes(await open(true), Math.max(0, total - options.tailBytes))
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

/** Takes the engine's frames apart: 8 bytes of head (stream, length), then the output. */
export async function* demux(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0)
  let left = 0
  for await (const chunk of stream) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk)
    while (rest.length > 0) {
      if (left === 0) {
        if (rest.length < 8) break
        left = rest.readUInt32BE(4)
        rest = rest.subarray(8)
        continue
      }
      const part = rest.subarray(0, left)
      left -= part.length
      rest = rest.subarray(part.length)
      yield part
    }
  }
}

async function lastBytes(stream: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    kept.push(chunk)
    bytes += chunk.length
    for (let first = kept[0]; first && bytes - first.length >= count; first = kept[0]) {
      bytes -= first.length
      kept.shift()
    }
  }
  const [first] = kept
  if (first && bytes > count) kept[0] = first.subarray(bytes - count)
  return count > 0 ? kept : []
}

async function* skipBytes(stream: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of stream) {
    if (left < chunk.length) yield left > 0 ? chunk.subarray(left) : chunk
    left = Math.max(0, left - chunk.length)
  }
}
