import { lstat, readdir, readlink } from 'node:fs/promises'
import { TREES } from '../live-trees.ts'
import { rawOutput } from '../raw-output.ts'
import { hasGnuFind } from '../tree-manifest.ts'

/** One entry of a bottle's trees, as an archive needs it. Names are bytes, held one per character. */
export interface TreeItem {
  /** `workspace/…` or `home/…`, as it lies on this machine. */
  readonly path: string
  /** f file, d folder, l link, p pipe; anything else can't travel. */
  readonly kind: string
  /** Permission bits, setuid and the like included. */
  readonly mode: number
  readonly size: number
  /** Of 512 bytes each, as the disk counts them. */
  readonly blocks: number
  /** Seconds with a fraction of nine digits, as text. */
  readonly mtime: string
  /** Target of a link, else ''. */
  readonly target: string
  /** The same for all names of one file. */
  readonly file: string
  /** How many names the file has. */
  readonly names: number
}

const LIST_MS = 3_600_000
const FORMAT = '%y\\0%m\\0%s\\0%b\\0%T@\\0%i\\0%n\\0%p\\0%l\\0'
const FIELDS = 9

/** Everything in a bottle's two trees, sorted by the bytes of its path, so that a folder comes before its content. */
export async function listTree(base: string, signal: AbortSignal): Promise<readonly TreeItem[]> {
  const items = (await hasGnuFind()) ? await find(base, signal) : await walkTrees(base, signal)
  return items.sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0))
}

async function find(base: string, signal: AbortSignal): Promise<TreeItem[]> {
  const items: TreeItem[] = []
  let fields: string[] = []
  let rest = ''
  const options = { cwd: base, timeout: LIST_MS, signal }
  await rawOutput('find', ['-P', ...TREES, '-printf', FORMAT], options, (chunk) => {
    const parts = (rest + chunk.toString('latin1')).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      fields.push(part)
      if (fields.length < FIELDS) continue
      items.push(toItem(fields))
      fields = []
    }
  })
  return items
}

function toItem(fields: readonly string[]): TreeItem {
  const [
    kind = '',
    mode = '',
    size = '',
    blocks = '',
    time = '',
    file = '',
    names = '',
    path = '',
    target = '',
  ] = fields
  return {
    path,
    kind,
    mode: Number.parseInt(mode, 8),
    size: Number(size),
    blocks: Number(blocks),
    // `find` prints ten digits, of which the tenth is always zero.
    mtime: time.replace(/(\.\d{9})\d*$/, '$1'),
    target,
    file,
    names: Number(names),
  }
}

/** The slow way, for systems whose `find` prints no fields. */
export async function walkTrees(base: string, signal: AbortSignal): Promise<TreeItem[]> {
  const items: TreeItem[] = []
  for (const tree of TREES) await walk(base, Buffer.from(tree), items, signal)
  return items
}

async function walk(base: string, path: Buffer, items: TreeItem[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const full = Buffer.concat([Buffer.from(`${base}/`), path])
  const found = await lstat(full, { bigint: true })
  const kind = found.isFile()
    ? 'f'
    : found.isDirectory()
      ? 'd'
      : found.isSymbolicLink()
        ? 'l'
        : found.isFIFO()
          ? 'p'
          : 's'
  items.push({
    path: path.toString('latin1'),
    kind,
    mode: Number(found.mode) & 0o7777,
    size: Number(found.size),
    blocks: Number(found.blocks),
    mtime: secondsOf(found.mtimeNs),
    target: kind === 'l' ? (await readlink(full, 'buffer')).toString('latin1') : '',
    file: String(found.ino),
    names: Number(found.nlink),
  })
  if (kind !== 'd') return
  for (const name of await readdir(full, 'buffer')) {
    await walk(base, Buffer.concat([path, Buffer.from('/'), name]), items, signal)
  }
}

/** Nanoseconds as decimal seconds; also before 1970. Pure. */
export function secondsOf(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  return `${sign}${size / 1_000_000_000n}.${String(size % 1_000_000_000n).padStart(9, '0')}`
}
