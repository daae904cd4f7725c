import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { rawOutput } from './raw-output.ts'

/** What a listing of trees comes to. */
export interface TreeManifest {
  readonly version: 1
  readonly entries: number
  /** Sum of the file sizes. */
  readonly bytes: number
  /** What the files take on disk: less than `bytes` where they have holes. */
  readonly diskBytes: number
  /** `sha256:…` over the sorted path, kind, mode, size, time and link target of every entry. */
  readonly digest: string
  /** Entries that no copy can bring back to life, as the user reads them. */
  readonly leftOut: readonly string[]
}

/** One entry; names are bytes, held one per character. */
export interface TreeEntry {
  /** f file, d folder, l link, s socket, p pipe, b and c devices. */
  readonly kind: string
  /** Octal permission bits. */
  readonly mode: string
  readonly size: number
  readonly blocks: number
  /** Seconds with nanoseconds, as text. */
  readonly time: string
  readonly path: string
  readonly target: string
}

const LIST_MS = 3_600_000
const LEFT_OUT_SHOWN = 20

/**
 * Lists folders below `base` and sums them up, without reading a file's content. Two trees with the same digest
 * hold the same files as far as names, sizes, modes and times tell.
 */
export async function treeManifest(
  base: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<TreeManifest> {
  return summarise(await listEntries(base, folders, signal))
}

async function listEntries(
  base: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<TreeEntry[]> {
  return (await hasGnuFind()) ? findEntries(base, folders, signal) : listByWalking(base, folders, signal)
}

/** The slow way, for systems whose `find` prints no fields. */
export async function listByWalking(
  base: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  for (const folder of folders) await walk(base, Buffer.from(folder), entries, signal)
  return entries
}

let gnuFindOnce: Promise<boolean> | undefined

/** True where `find` prints fields; tried once. */
export function hasGnuFind(): Promise<boolean> {
  gnuFindOnce ??= rawOutput(
    'find',
    ['/', '-maxdepth', '0', '-printf', '%T@'],
    { cwd: '/', timeout: 5000, signal: new AbortController().signal },
    () => undefined,
  ).then(
    () => true,
    () => false,
  )
  return gnuFindOnce
}

async function findEntries(
  base: string,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<TreeEntry[]> {
  const fields: string[] = []
  let rest = ''
  const format = '%y\\0%m\\0%s\\0%b\\0%T@\\0%p\\0%l\\0'
  await rawOutput(
    'find',
    ['-P', ...folders, '-printf', format],
    { cwd: base, timeout: LIST_MS, signal },
    (chunk) => {
      const parts = (rest + chunk.toString('latin1')).split('\0')
      rest = parts.pop() ?? ''
      for (const part of parts) fields.push(part)
    },
  )
  const entries: TreeEntry[] = []
  for (let at = 0; at + 6 < fields.length; at += 7) {
    const [kind = '', mode = '', size = '0', blocks = '0', time = '', path = '', target = ''] = fields.slice(
      at,
      at + 7,
    )
    entries.push({ kind, mode, size: Number(size), blocks: Number(blocks), time, path, target })
  }
  return entries
}

/** Paths stay bytes all along. */
async function walk(base: string, path: Buffer, entries: TreeEntry[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const full = Buffer.concat([Buffer.from(`${base}/`), path])
  const found = await lstat(full, { bigint: true })
  entries.push({
    kind: kindOf(Number(found.mode)),
    mode: (Number(found.mode) & 0o7777).toString(8),
    size: Number(found.size),
    blocks: Number(found.blocks),
    time: `${found.mtimeNs / 1_000_000_000n}.${String(found.mtimeNs % 1_000_000_000n).padStart(9, '0')}0`,
    path: path.toString('latin1'),
    target: found.isSymbolicLink() ? (await readlink(full, 'buffer')).toString('latin1') : '',
  })
  if (!found.isDirectory()) return
  for (const name of await readdir(full, 'buffer')) {
    await walk(base, Buffer.concat([path, Buffer.from('/'), name]), entries, signal)
  }
}

/** By the file type bits of a mode. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.S_IFREG, 'f'],
  [constants.S_IFDIR, 'd'],
  [constants.S_IFLNK, 'l'],
  [constants.S_IFSOCK, 's'],
  [constants.S_IFIFO, 'p'],
  [constants.S_IFBLK, 'b'],
  [constants.S_IFCHR, 'c'],
])

function kindOf(mode: number): string {
  return KINDS.get(mode & constants.S_IFMT) ?? 'U'
}

/** Sums up a listing in any order. Pure. */
export function summarise(entries: readonly TreeEntry[]): TreeManifest {
  const kept = entries.filter((entry) => entry.kind !== 's')
  const files = kept.filter((entry) => entry.kind === 'f')
  const hash = createHash('sha256')
  for (const line of kept.map(lineOf).sort()) hash.update(line, 'latin1')
  const odd = entries.filter((entry) => !['f', 'd', 'l'].includes(entry.kind))
  return {
    version: 1,
    entries: kept.length,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    diskBytes: files.reduce((sum, file) => sum + Math.min(file.size, file.blocks * 512), 0),
    digest: `sha256:${hash.digest('hex')}`,
    leftOut: describeOdd(odd),
  }
}

/**
 * What counts as content: a folder's own size and time say nothing that its entries don't, and a link is its
 * target. A socket is left out wholly, since it comes and goes with its process.
 */
function lineOf(entry: TreeEntry): string {
  const { path, kind, mode, size, time, target } = entry
  if (kind === 'f') return `${path}\0f\0${mode}\0${size}\0${time}\0\n`
  if (kind === 'l') return `${path}\0l\0${target}\0\n`
  return `${path}\0${kind}\0${mode}\0\n`
}

const ODD_NAMES: Readonly<Record<string, string>> = { s: 'socket', p: 'pipe', b: 'device', c: 'device' }

function describeOdd(odd: readonly TreeEntry[]): string[] {
  const shown = odd
    .map(
      (entry) => `${ODD_NAMES[entry.kind] ?? 'special file'} ${Buffer.from(entry.path, 'latin1').toString()}`,
    )
    .sort()
  if (shown.length <= LEFT_OUT_SHOWN) return shown
  return [...shown.slice(0, LEFT_OUT_SHOWN), `${shown.length - LEFT_OUT_SHOWN} more special files`]
}
