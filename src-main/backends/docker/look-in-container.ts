import type { Readable } from 'node:stream'
import type { Extract } from 'tar-stream'
import type { Owner } from '../guest/tar-pack.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { isMissing } from './engine-errors.ts'

/** What lies at a path of a container; links on the way are followed inside it, the last one is not. */
export interface InsideStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly bytes: number
  /** Permission bits. */
  readonly mode: number
}

/** Bits of the engine's file modes. */
const FOLDER = 2 ** 31
const LINK = 2 ** 27
const ODD = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19]

/** Pure: the engine's mode word. */
export function kindOfMode(mode: number): InsideStat['kind'] {
  const has = (bit: number): boolean => Math.floor(mode / bit) % 2 === 1
  if (has(LINK)) return 'link'
  if (has(FOLDER)) return 'folder'
  return ODD.some(has) ? 'other' : 'file'
}

/** Null when there is nothing. @throws BottleError */
export async function lookInContainer(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<InsideStat | null> {
  try {
    const answer = (await engine.call(`look at ${path}`, signal, (docker, abortSignal) =>
      docker.getContainer(id).infoArchive({ path, abortSignal }),
    )) as { headers: Record<string, string | undefined>; resume(): void }
    answer.resume()
    const told = answer.headers['x-docker-container-path-stat'] ?? 'e30='
    const stat = JSON.parse(Buffer.from(told, 'base64').toString('utf8')) as { size?: number; mode?: number }
    const mode = stat.mode ?? 0
    return { kind: kindOfMode(mode), bytes: stat.size ?? 0, mode: mode % 0o1000 }
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw thrown
  }
}

export interface InsideEntry {
  readonly name: string
  readonly type: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
  readonly mode: number
  readonly owner: Owner
}

/**
 * Reads what lies at a path as the engine packs it, entry by entry; `visit` gets the content and says whether to go
 * on. False when nothing lies there. @throws BottleError
 */
export async function visitArchive(
  engine: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
  visit: (entry: InsideEntry, content: AsyncIterable<Uint8Array>) => Promise<boolean>,
  timeoutMs = LONG_MS,
): Promise<boolean> {
  // Before the stream: nobody would hear its failure meanwhile.
  const { extract } = await import('tar-stream')
  try {
    await engine.call(
      `read ${path}`,
      signal,
      async (docker, abortSignal) => {
        const stream = (await docker.getContainer(id).getArchive({ path, abortSignal })) as Readable
        await visitEntries(stream, extract(), visit)
      },
      timeoutMs,
    )
    return true
  } catch (thrown) {
    if (isMissing(thrown)) return false
    throw thrown
  }
}

async function visitEntries(
  stream: Readable,
  reader: Extract,
  visit: (entry: InsideEntry, content: AsyncIterable<Uint8Array>) => Promise<boolean>,
): Promise<void> {
  stream.on('error', (error: Error) => reader.destroy(error))
  stream.pipe(reader)
  try {
    for await (const entry of reader) {
      const { name, type, size = 0, mtime, mode = 0, uid = 0, gid = 0 } = entry.header
      const told = {
        name,
        type: type ?? 'file',
        bytes: size,
        modifiedAt: mtime?.getTime() ?? 0,
        mode: mode % 0o1000,
      }
      if (!(await visit({ ...told, owner: { uid, gid } }, entry as AsyncIterable<Uint8Array>))) return
      entry.resume()
    }
  } finally {
    stream.unpipe(reader)
    stream.destroy()
    reader.destroy()
  }
}
