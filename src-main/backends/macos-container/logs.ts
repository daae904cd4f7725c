import type { LogOptions, RuntimeRef } from '../backend.ts'
import { followFile } from '../local/follow-file.ts'
import { readFacts } from './container-facts.ts'
import type { ContainerContext } from './context.ts'
import { ownContainer } from './own-container.ts'
import { readExit, runFolder } from './run-folder.ts'
import { waitForExit } from './run-life.ts'
import { isTerminalOpen } from './start.ts'

const READ_MS = 600_000
/** A follower is a person: nobody reads on for longer than this. */
const FOLLOW_MS = 7 * 24 * 3_600_000

/** A container's output, both streams as they came. Missing containers have none. @throws BottleError */
export async function* readLogs(
  context: ContainerContext,
  ref: RuntimeRef,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const found = await ownContainer(context, ref, signal, 'owner')
  if (!found) return
  if (readFacts(ref).socket) {
    yield* readTerminal(context, ref, options, signal)
    return
  }
  const whole = (limit: AbortSignal) => context.client.stream(['logs', ref.id], limit, READ_MS)
  try {
    if (!options.follow) {
      if (options.tailBytes === undefined) yield* whole(signal)
      else yield* await lastBytes(whole(signal), options.tailBytes)
      return
    }
    // The engine counts lines, not bytes: measure first, then skip.
    let skip = 0
    if (options.tailBytes !== undefined) {
      for await (const chunk of whole(signal)) skip += chunk.length
      skip = Math.max(0, skip - options.tailBytes)
    }
    yield* follow(context, ref, skip, whole, signal)
  } catch (thrown) {
    // Whoever follows simply stops; that is no failure.
    if (!signal.aborted) throw thrown
  }
}

/** What a terminal showed is in a file of this machine; the engine keeps the output of detached containers only. */
async function* readTerminal(
  context: ContainerContext,
  ref: RuntimeRef,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const folder = runFolder(context.home, ref.slug, ref.runId)
  const hasEnded = async () => (await readExit(folder)) !== null || !(await isTerminalOpen(folder))
  yield* followFile(folder.log, options, [folder.dir, folder.guest], hasEnded, signal)
}

/** The engine's own following never ends, so the container's end ends it; what came last is then read once more. */
async function* follow(
  context: ContainerContext,
  ref: RuntimeRef,
  skip: number,
  whole: (limit: AbortSignal) => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const over = new AbortController()
  const limit = AbortSignal.any([signal, over.signal])
  const ended = waitForExit(context, ref, limit).then(
    () => over.abort(),
    () => over.abort(),
  )
  let seen = 0
  try {
    for await (const chunk of context.client.stream(['logs', '--follow', ref.id], limit, FOLLOW_MS)) {
      const start = Math.max(0, skip - seen)
      seen += chunk.length
      if (start < chunk.length) yield chunk.subarray(start)
    }
  } catch (thrown) {
    if (!over.signal.aborted || signal.aborted) throw thrown
  } finally {
    over.abort()
    await ended
  }
  let at = 0
  const from = Math.max(seen, skip)
  for await (const chunk of whole(signal)) {
    const start = Math.max(0, from - at)
    at += chunk.length
    if (start < chunk.length) yield chunk.subarray(start)
  }
}

/** The end of a stream, holding no more of it than asked for. */
export async function lastBytes(stream: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array[]> {
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
