import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compressionOf, decompress } from './decompress.ts'
import { mustRun } from './guest.ts'
import { resolveInRoot } from './in-root.ts'
import { readTarEntries, type TarEntry } from './tar-entries.ts'

const XATTRS = ['--xattrs', '--xattrs-include=*']

/** Unpacks layers in their order, deletions included. Needs root, since owners and devices are kept. */
export function unpackLayers(root: string, layers: readonly string[]): void {
  mkdirSync(root, { recursive: true, mode: 0o755 })
  for (const layer of layers) unpackLayer(root, layer)
}

/** Unpacks one layer, plain or compressed, over what is there. */
export function unpackLayer(root: string, layer: string): void {
  withPlainTar(layer, dirname(root), (tar) => {
    const entries = readTarEntries(tar)
    for (const entry of entries) makeWay(root, entry)
    mustRun('tar', [
      ...['-x', '-p', '-f', tar, '-C', root, '--numeric-owner', '--same-owner', ...XATTRS],
      ...['--exclude=.wh.*', '--delay-directory-restore', '--warning=none'],
    ])
  })
}

/** Gives the path of the tar without compression; one that had to be made is removed afterwards. */
function withPlainTar<T>(path: string, tempIn: string, work: (tar: string) => T): T {
  const data = readFileSync(path)
  if (compressionOf(data) === null) return work(path)
  const dir = mkdtempSync(join(tempIn, 'plain-'))
  try {
    const tar = join(dir, 'layer.tar')
    writeFileSync(tar, decompress(data))
    return work(tar)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Removes what a layer deletes, and what stands in the way of an entry of another kind. */
function makeWay(root: string, entry: TarEntry): void {
  const path = entry.name.replace(/\/+$/, '')
  const name = path.slice(path.lastIndexOf('/') + 1)
  const folder = path.slice(0, path.length - name.length)
  if (name === '.wh..wh..opq') {
    const dir = resolveInRoot(root, folder)
    for (const child of kindOf(dir) === 'folder' ? readdirSync(dir) : []) remove(join(dir, child))
  } else if (name.startsWith('.wh.')) {
    remove(resolveInRoot(root, join(folder, name.slice(4)), { followLast: false }))
  } else if (path !== '' && path !== '.') {
    const there = resolveInRoot(root, path, { followLast: false })
    const kind = kindOf(there)
    if (kind !== null && (kind === 'folder') !== (entry.type === '5')) remove(there)
  }
}

function kindOf(path: string): 'folder' | 'other' | null {
  try {
    return lstatSync(path).isDirectory() ? 'folder' : 'other'
  } catch {
    return null
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** Copies a root file system with owners, links, extended attributes and holes. */
export function copyRoot(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  mustRun('cp', ['-a', '--reflink=auto', '--sparse=always', '-T', from, to])
}

export interface Packed {
  /** Paths below the root that were left out, as the guest sees them. */
  readonly leftOut: readonly string[]
  readonly args: readonly string[]
  /** To be given to tar on stdin. */
  readonly list: Buffer
}

/**
 * What tar needs to pack a root file system the way the engines do: numeric owners, pax with extended attributes,
 * second names of a file at the end, no sockets, FIFOs and devices.
 * @param options.absolute names begin with `/`, else they are relative to the root
 */
export function planPack(
  root: string,
  options: {
    readonly absolute: boolean
    readonly without?: readonly string[]
    readonly keepSpecials?: boolean
  },
): Packed {
  const first: string[] = []
  const links: string[] = []
  const leftOut: string[] = []
  const seen = new Set<string>()
  const without = new Set(options.without ?? [])
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(root, below), { withFileTypes: true }).toSorted(byName)) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (without.has(`/${path}`)) continue
      if (entry.isDirectory()) {
        first.push(`./${path}`)
        walk(path)
        continue
      }
      const isSpecial = !entry.isFile() && !entry.isSymbolicLink()
      if (isSpecial && !options.keepSpecials) {
        leftOut.push(`/${path}`)
        continue
      }
      const { ino, nlink } = lstatSync(join(root, path))
      const isSecond = nlink > 1 && seen.has(String(ino))
      seen.add(String(ino))
      ;(isSecond ? links : first).push(`./${path}`)
    }
  }
  walk('')
  const rename = options.absolute ? 's,^\\./,/,rhS' : 's,^\\./,,rhS'
  const args = [
    ...['-c', '-C', root, '--format=pax', '--numeric-owner', '-P', ...XATTRS, '--no-recursion'],
    ...['--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime', '--sort=none'],
    ...['--null', '--verbatim-files-from', '--files-from=-', `--transform=${rename}`, '-f', '-'],
  ]
  return { leftOut, args, list: Buffer.from([...first, ...links].map((path) => `${path}\0`).join('')) }
}

function byName(one: { readonly name: string }, two: { readonly name: string }): number {
  return one.name < two.name ? -1 : 1
}
