import { bottleError, toFailure } from '../../system/bottle-error.ts'
import { createTarDecoder, type TarEvent } from '../../workers/tar/decoder.ts'
import type { TarEntry } from '../../workers/tar/entry.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../workers/tar/writer.ts'
import { RUN_DIR } from '../labels.ts'

/** What a layer holds, and what of the exported files it can't. */
export interface LayerCount {
  entries: number
  /** Names that mean "removed" in a layer; at most a few, as they were written. */
  readonly unheld: string[]
}

const MOST_NAMED = 20
/** Gathered before it is handed on: an archive of small files comes in pieces of a few hundred bytes. */
const PIECE = 1 << 18
const OURS = RUN_DIR.slice(1)

/**
 * The engine's export as a layer: names relative, without the disk's own `lost+found`, without what a run was given,
 * and ending as a tar must. Owners, modes, times, links and attributes stay as they were exported. What lies in a
 * `foreign` folder is left out; the folder stays. The source must not write into its chunks again.
 * @throws BottleError `engine-failed` for an export that was cut off
 */
export async function* layerOfExport(
  source: AsyncIterable<Uint8Array>,
  count: LayerCount,
  foreign: readonly string[] = [],
): AsyncGenerator<Uint8Array> {
  const isForeign = contentOf(foreign)
  const decoder = createTarDecoder()
  let waiting: Uint8Array[] = []
  let length = 0
  let size = 0
  const add = (bytes: Uint8Array) => {
    waiting.push(bytes)
    length += bytes.length
  }
  const gathered = () => {
    const [only, ...others] = waiting
    const piece = only && others.length === 0 ? only : Buffer.concat(waiting)
    waiting = []
    length = 0
    return piece
  }
  const take = (event: TarEvent) => {
    if (event.kind === 'entry') {
      const header = isForeign(event.entry) ? null : headerFor(event.entry, count)
      if (!header) decoder.skip()
      else {
        size = event.entry.type === 'file' ? event.entry.size : 0
        add(header)
      }
    } else if (event.kind === 'data') add(event.bytes)
    else if (event.kind === 'done') add(tarPadding(size))
  }
  for await (const chunk of source) {
    decode(() => decoder.feed(chunk))
    for (let event = decode(() => decoder.next()); event; event = decode(() => decoder.next())) {
      take(event)
      for (const zeros of zerosOf(event.kind === 'hole' ? event.bytes : 0)) {
        add(zeros)
        if (length >= PIECE) yield gathered()
      }
      if (length >= PIECE) yield gathered()
    }
  }
  decode(() => decoder.finish())
  add(TAR_END)
  yield gathered()
}

/** Null for what a layer does not keep. */
function headerFor(entry: TarEntry, count: LayerCount): Uint8Array | null {
  const path = relative(entry.path)
  const [top = ''] = path.split('/')
  if (top === 'lost+found' || path === OURS || path.startsWith(`${OURS}/`)) return null
  // The root itself is a folder of whatever mode it has.
  if (path === '' && entry.type !== 'folder') return null
  if (path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.')) {
    if (count.unheld.length < MOST_NAMED) count.unheld.push(`/${path}`)
    return null
  }
  count.entries++
  return writeTarHeader({
    path: path === '' ? './' : path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    ...(entry.type === 'file' ? { size: entry.size } : {}),
    ...(entry.type === 'hardlink' ? { link: relative(entry.link) } : {}),
    ...(entry.type === 'symlink' ? { link: entry.link } : {}),
    ...(entry.type === 'char' || entry.type === 'block' ? { major: entry.major, minor: entry.minor } : {}),
    ...(entry.xattrs.size > 0 ? { xattrs: entry.xattrs } : {}),
  })
}

/** True for what lies below one of these folders. */
function contentOf(folders: readonly string[]): (entry: TarEntry) => boolean {
  const above = folders.map((folder) => `${relative(folder)}/`).filter((folder) => folder !== '/')
  return (entry) => above.some((folder) => relative(entry.path).startsWith(folder))
}

/** Pure: without the slashes and dots that lead to the root, and without a closing slash. */
export function relative(path: string): string {
  return path
    .replace(/^(\.?\/)+/, '')
    .replace(/^\.$/, '')
    .replace(/\/+$/, '')
}

/** The engine writes whole archives, so one that is not was cut off. */
function decode<T>(step: () => T): T {
  try {
    return step()
  } catch (thrown) {
    const { detail, message } = toFailure(thrown)
    throw bottleError('engine-failed', 'The export of the container is not complete.', {
      detail: [message, detail].filter(Boolean).join(' '),
      cause: thrown,
    })
  }
}

const ZEROS = new Uint8Array(1 << 16)
function* zerosOf(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length))
}
