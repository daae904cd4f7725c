import { bottleError } from '../../system/bottle-error.ts'
import { createTarDecoder } from './decoder.ts'
import type { TarEntry } from './entry.ts'
import { TAR_END, tarPadding, writeTarHeader } from './writer.ts'

/** Where the entries of a layer go in another file system. Paths have no slash at their ends; bytes as latin1. */
export interface Relocation {
  /** The new path, null for what stays behind. @throws BottleError for an entry that has no sense at the new place */
  place(path: string, entry: TarEntry): string | null
  /** What a whiteout of the layer means at the new places: paths of whiteouts. */
  marks(path: string): readonly string[]
  /** Folders, by their new paths, that hide all that lower layers have in them. */
  readonly opaque?: ReadonlySet<string> | undefined
  /** Who owns everything at the new place; not set: who owned it before. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Devices belong to a machine: true leaves them behind. */
  readonly withoutDevices?: boolean | undefined
  /** Told of every path that stays behind. */
  readonly onLeft?: ((path: string, entry: TarEntry) => void) | undefined
}

export const WHITEOUT = '.wh.'
export const OPAQUE = '.wh..wh..opq'
const EDGES = /^(?:\.?\/)+|\/+$/g
const BATCH = 1 << 18
const ZEROS = Buffer.alloc(1 << 16)

/** A path as `Relocation` wants it. Pure. */
export const plainPath = (path: string): string => {
  const plain = path.replace(EDGES, '')
  return plain === '.' ? '' : plain
}

/**
 * A layer with its entries moved, a whole tar. A hard link to what stays behind becomes the file itself; for that the
 * layer is opened once more.
 * @throws BottleError `artifact-invalid`, `cancelled`, and what the relocation throws
 */
export async function* relocateLayer(
  open: () => AsyncIterable<Uint8Array>,
  relocation: Relocation,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const strays = new Map<string, string[]>()
  yield* entriesOf(open(), signal, (path, entry) => moved(path, entry, relocation, strays))
  if (strays.size > 0) {
    yield* entriesOf(open(), signal, (path, entry) => {
      const places = entry.type === 'file' ? strays.get(path) : undefined
      if (!places) return null
      const [first = '', ...others] = places
      const after = others.map((place) =>
        writeTarHeader({ ...headerOf(entry, relocation), path: place, type: 'hardlink', link: first }),
      )
      return { header: writeTarHeader({ ...headerOf(entry, relocation), path: first }), after }
    })
  }
  yield TAR_END
}

interface Move {
  readonly header: Uint8Array | null
  /** Headers without content that follow the entry. */
  readonly after: readonly Uint8Array[]
}

function moved(
  path: string,
  entry: TarEntry,
  relocation: Relocation,
  strays: Map<string, string[]>,
): Move | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (name.startsWith(WHITEOUT)) return { header: null, after: relocation.marks(path).map(mark) }
  const place = relocation.place(path, entry)
  const isDevice = entry.type === 'char' || entry.type === 'block'
  if (place === null || (isDevice && relocation.withoutDevices === true)) {
    relocation.onLeft?.(path, entry)
    return null
  }
  const header = headerOf(entry, relocation)
  if (entry.type === 'hardlink') {
    const target = plainPath(entry.link)
    const link = relocation.place(target, entry)
    if (link === null) {
      strays.set(target, [...(strays.get(target) ?? []), place])
      return null
    }
    return { header: writeTarHeader({ ...header, path: place, link }), after: [] }
  }
  const isOpaque = entry.type === 'folder' && relocation.opaque?.has(place) === true
  return {
    header: writeTarHeader({ ...header, path: place, link: entry.link }),
    after: isOpaque ? [mark(`${place}/${OPAQUE}`)] : [],
  }
}

const mark = (path: string): Uint8Array => writeTarHeader({ path, type: 'file', mode: 0o600 })

function headerOf(entry: TarEntry, { owner }: Relocation) {
  const { type, mode, size, mtime, major, minor, xattrs } = entry
  const { uid, gid } = owner ?? entry
  return { path: entry.path, type, mode, size, mtime, major, minor, xattrs, uid, gid }
}

/** Entries as `decide` has them, batched; without the end of the archive. */
async function* entriesOf(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  decide: (path: string, entry: TarEntry) => Move | null,
): AsyncGenerator<Uint8Array> {
  const decoder = createTarDecoder({ endOptional: true })
  let batch: Uint8Array[] = []
  let bytes = 0
  const add = (piece: Uint8Array) => {
    batch.push(piece)
    bytes += piece.length
  }
  const take = () => {
    const whole = Buffer.concat(batch)
    batch = []
    bytes = 0
    return whole
  }
  let size = 0
  let after: readonly Uint8Array[] = []
  for await (const chunk of content) {
    if (signal.aborted) throw bottleError('cancelled')
    decoder.feed(chunk)
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.kind === 'entry') {
        const path = plainPath(event.entry.path)
        const move = path === '' ? null : decide(path, event.entry)
        if (move?.header) {
          add(move.header)
          size = event.entry.type === 'file' ? event.entry.size : 0
          after = move.after
        } else {
          for (const header of move?.after ?? []) add(header)
          decoder.skip()
        }
      } else if (event.kind === 'data') add(Buffer.from(event.bytes))
      else if (event.kind === 'hole') {
        for (let left = event.bytes; left > 0; left -= ZEROS.length) {
          add(ZEROS.subarray(0, Math.min(left, ZEROS.length)))
          if (bytes >= BATCH) yield take()
        }
      } else {
        add(tarPadding(size))
        for (const header of after) add(header)
      }
      if (bytes >= BATCH) yield take()
    }
  }
  decoder.finish()
  if (bytes > 0) yield take()
}
