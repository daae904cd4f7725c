import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import fc from 'fast-check'

/** A name of any bytes but NUL and `/`, held one byte per character; at most 255. */
const anyName = fc.oneof(
  fc.uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 20 }).map(latin1),
  fc.uint8Array({ min: 1, max: 255, minLength: 100, maxLength: 255 }).map(latin1),
  fc.constantFrom(
    '-rf',
    '--checkpoint-action=exec=false',
    ' ',
    'a\nb',
    '\\',
    'grün',
    '\xff\xfe',
    '..x',
    '*',
    'GNUSparseFile.0',
  ),
)
/** OCI layers give this beginning a meaning; host bottles carry it all the same. */
const reservedName = fc.constantFrom('.wh.gone', '..wh.gone', '.wh..wh..opq', '...wh.')

function latin1(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').replaceAll('/', '_')
  return text === '.' || text === '..' || /^\.+wh\./.test(text) ? `_${text}` : text
}

/** One step of making a tree. `where` picks one of the folders made so far, `which` one of the files. */
const step = (name: fc.Arbitrary<string>) =>
  fc.record({
    name,
    where: fc.nat(),
    which: fc.nat(),
    kind: fc.constantFrom('file', 'file', 'folder', 'folder', 'link', 'hard', 'sparse', 'empty', 'pipe'),
    /** User and group; only used where they are kept. */
    owner: fc.constantFrom(0, 0, 1000, 65_534, 70_000, 3_000_000),
    mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o2755, 0o444, 0o777, 0o1777),
    size: fc.oneof(fc.nat(1500), fc.constantFrom(511, 512, 513, 4096, 65_536, 65_537, 1_100_000)),
    mtime: fc.oneof(
      fc.integer({ min: 1, max: 4_000_000_000 }),
      fc.constantFrom(0, 1, 0.5, 2_147_483_648.25, 8_589_934_592, -86_400),
    ),
    target: fc.oneof(
      name,
      fc.constantFrom('/etc/passwd', '../../../../etc', 'x'.repeat(300), '.wh.gone', './a//b/'),
    ),
  })
export type Step = typeof step extends (name: never) => fc.Arbitrary<infer T> ? T : never

/** A recipe for a tree. `withReserved`: also with names that only host bottles can carry. */
export function treeRecipe(withReserved: boolean): fc.Arbitrary<readonly Step[]> {
  const name = withReserved
    ? fc.oneof({ arbitrary: anyName, weight: 6 }, { arbitrary: reservedName, weight: 1 })
    : anyName
  return fc.array(step(name), { minLength: 3, maxLength: 25 })
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Makes the tree of a recipe in an existing folder; steps that don't fit (a name taken) are left out. Owners: as root only. */
export function makeTree(
  folder: string,
  steps: readonly Step[],
  options: { readonly withOwner?: boolean } = {},
): void {
  const folders = [folder]
  const files: string[] = []
  const times: [string, number][] = []
  const modes: [string, number][] = []
  for (const each of steps) {
    const parent = folders[each.where % folders.length] ?? folder
    const path = `${parent}/${each.name}`
    if (Buffer.byteLength(path, 'latin1') > 3500 || isThere(path)) continue
    if (each.kind === 'link') {
      symlinkSync(bytes(each.target), bytes(path))
      if (options.withOwner) lchownSync(bytes(path), each.owner, each.owner)
      continue
    }
    if (each.kind === 'hard') {
      const file = files[each.which % files.length]
      if (file !== undefined) linkSync(bytes(file), bytes(path))
      continue
    }
    if (each.kind === 'pipe') {
      // Arguments of a program can't hold any bytes, its input can.
      const made = spawnSync('xargs', ['-0', 'mkfifo', '--'], {
        input: Buffer.concat([bytes(path), Buffer.from([0])]),
      })
      if (made.status !== 0) throw new Error(String(made.stderr))
    } else if (each.kind === 'folder') {
      mkdirSync(bytes(path))
      folders.push(path)
    } else {
      makeFile(path, each)
      files.push(path)
    }
    // Before the mode: a change of owner takes setuid away.
    if (options.withOwner) chownSync(bytes(path), each.owner, each.owner)
    modes.push([path, each.mode])
    times.push([path, each.mtime])
  }
  for (const [path, mode] of modes) chmodSync(bytes(path), mode)
  // Deepest first, since what is made in a folder changes its time.
  for (const [path, mtime] of times.reverse()) utimesSync(bytes(path), mtime, mtime)
}

function makeFile(path: string, { kind, size, where }: Step): void {
  const file = openSync(bytes(path), 'wx')
  if (kind === 'file')
    writeSync(
      file,
      createHash('sha256')
        .update(path, 'latin1')
        .digest('hex')
        .repeat(Math.ceil(size / 64))
        .slice(0, size),
    )
  if (kind === 'sparse') {
    // Data at an odd place between holes, sometimes at the very end.
    writeSync(file, 'data', 300_000 + (where % 5000))
    ftruncateSync(file, where % 2 === 0 ? 900_001 + size : 300_004 + (where % 5000))
  }
  closeSync(file)
}

function isThere(path: string): boolean {
  return lstatSync(bytes(path), { throwIfNoEntry: false }) !== undefined
}

/** One line per entry: path, type, mode, owner, time, size, content or target, and which names are one file. */
export interface SumOptions {
  readonly withOwner: boolean
  /** Nanoseconds; else whole seconds. */
  readonly exactTimes: boolean
}

/** Sums up a tree by means that share nothing with what is tested. Sorted by path. */
export function sumTree(folder: string, options: SumOptions): string[] {
  const lines: string[] = []
  const names = new Map<string, string>()
  const visit = (relative: string): void => {
    const path = bytes(`${folder}/${relative}`)
    const found = lstatSync(path, { bigint: true })
    const owner = options.withOwner ? `${found.uid}:${found.gid}` : ''
    const seconds = found.mtimeNs / 1_000_000_000n - (found.mtimeNs % 1_000_000_000n < 0n ? 1n : 0n)
    const time = options.exactTimes ? found.mtimeNs : seconds
    const mode = (Number(found.mode) & 0o7777).toString(8)
    const shown = JSON.stringify(relative)
    if (found.isDirectory()) {
      lines.push(`${shown} folder ${mode} ${owner} ${time}`)
      for (const name of readdirSync(path, 'buffer')
        .map((each) => each.toString('latin1'))
        .sort()) {
        visit(relative === '' ? name : `${relative}/${name}`)
      }
    } else if (found.isSymbolicLink()) {
      lines.push(`${shown} link ${owner} ${JSON.stringify(readlinkSync(path, 'buffer').toString('latin1'))}`)
    } else if (found.isFile()) {
      const first = found.nlink > 1n ? names.get(String(found.ino)) : undefined
      if (found.nlink > 1n && first === undefined) names.set(String(found.ino), shown)
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex')
      const twin = first === undefined ? '' : ` same as ${first}`
      lines.push(`${shown} file ${mode} ${owner} ${time} ${found.size} ${hash}${twin}`)
    } else {
      lines.push(`${shown} ${found.isFIFO() ? 'pipe' : 'other'} ${mode} ${owner} ${time}`)
    }
  }
  visit('')
  return lines
}
