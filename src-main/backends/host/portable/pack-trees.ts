import { TO_IMAGE } from './image-paths.ts'
import { listTree, type TreeItem } from './list-tree.ts'
import { END } from './tar-header.ts'
import { type TarProgram, tarOutput } from './tar-program.ts'
import { hasHoles, writeItems } from './write-items.ts'

/** Devices and sockets belong to a machine and its processes; pipes are kept as the freeze kept them. */
const TRAVELS = new Set(['f', 'd', 'l', 'p'])
const TRAILING_SLASHES = /\/+$/

/**
 * A bottle's two trees as one layer, an uncompressed tar: entries in the order of their bytes, times to the
 * nanosecond, owner 0:0. The same trees give the same bytes. GNU's tar packs the bulk of it where there is one, with
 * the users' extended attributes; files with large holes, and everything elsewhere, are packed here.
 */
export async function* packTrees(
  base: string,
  program: TarProgram | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const items = (await listTree(base, signal)).filter(({ kind }) => TRAVELS.has(kind))
  if (program?.kind !== 'gnu') {
    yield* writeItems(base, items, signal)
    yield END
    return
  }
  const { own, bulk } = divide(items)
  yield* writeItems(base, own, signal)
  yield* tarOutput(program, { args: ARGUMENTS, cwd: base, signal, list: nameList(bulk) })
}

/** What is packed here: files with holes under all their names, and the folders on the way to them. Pure. */
export function divide(items: readonly TreeItem[]): {
  readonly own: readonly TreeItem[]
  readonly bulk: readonly TreeItem[]
} {
  const files = new Set(items.filter(hasHoles).map(({ file }) => file))
  if (files.size === 0) return { own: [], bulk: items }
  const folders = new Set<string>()
  for (const { path, kind, file } of items) {
    if (kind !== 'f' || !files.has(file)) continue
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      folders.add(path.slice(0, at))
  }
  const isOwn = ({ path, kind, file }: TreeItem) =>
    (kind === 'f' && files.has(file)) || (kind === 'd' && folders.has(path.replace(TRAILING_SLASHES, '')))
  return { own: items.filter(isOwn), bulk: items.filter((item) => !isOwn(item)) }
}

const ARGUMENTS = [
  '--create',
  '--file=-',
  '--format=pax',
  // Without these the extended headers carry a process id and times that reading changes.
  '--pax-option=exthdr.name=PaxHeaders/entry,exthdr.mtime=0,delete=atime,delete=ctime',
  '--null',
  '--verbatim-files-from',
  '--no-unquote',
  '--no-recursion',
  '--numeric-owner',
  '--owner=0',
  '--group=0',
  '--no-acls',
  '--no-selinux',
  '--xattrs',
  '--xattrs-include=user.*',
  `--transform=flags=rhS;${TO_IMAGE.join(';')}`,
  // Last: some of the others count only for names that follow them.
  '--files-from=-',
]

function* nameList(items: readonly TreeItem[]): Generator<Uint8Array> {
  let text = ''
  for (const { path } of items) {
    text += `${path}\0`
    if (text.length < 1 << 16) continue
    yield Buffer.from(text, 'latin1')
    text = ''
  }
  yield Buffer.from(text, 'latin1')
}

/** About how long the layer becomes: content and a header or two for each entry. Pure. */
export function estimateBytes(entries: number, diskBytes: number): number {
  return diskBytes + entries * 2048
}
