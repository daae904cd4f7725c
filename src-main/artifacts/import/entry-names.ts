import { posix } from 'node:path'
import { printable } from '../../workers/printable.ts'
import type { TarEntry } from '../../workers/tar/entry.ts'
import { invalid } from './invalid.ts'

/** What a file of an archive is for. `extra` is read past and dropped. */
export type EntryRole = 'document' | 'blob' | 'layer' | 'config' | 'extra'

const DOCUMENTS: ReadonlySet<string> = new Set(['oci-layout', 'index.json', 'manifest.json'])
const NAME_MAX = 1000

/**
 * The name of an entry as a path inside the archive, without `./` in front and `/` at the end.
 * @throws BottleError `artifact-invalid` for a name that leads elsewhere
 */
export function entryName({ path }: Pick<TarEntry, 'path'>): string {
  const title = printable(path)
  if (path.startsWith('/')) throw invalid(`its entry “${title}” has an absolute name.`)
  if (path.includes('\\')) throw invalid(`its entry “${title}” has a backslash in its name.`)
  if (path.length > NAME_MAX) throw invalid(`its entry “${title}” has a name of ${path.length} bytes.`)
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw invalid(`its entry “${title}” leads out of the archive.`)
  return parts.join('/')
}

/** Names that a file system without case or with composed letters would take for one. Pure. */
export function twinKey(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8').normalize('NFC').toLowerCase()
}

/** @throws BottleError `artifact-invalid` for a blob that is not named by a digest */
export function roleOf(name: string): EntryRole {
  if (DOCUMENTS.has(name)) return 'document'
  if (name.startsWith('blobs/sha256/')) {
    if (/^blobs\/sha256\/[0-9a-f]{64}$/.test(name)) return 'blob'
    throw invalid(`its blob “${printable(name)}” is not named by a digest.`)
  }
  if (/^[^/]+\.json$/.test(name)) return 'config'
  // Docker names a layer by a folder, podman and skopeo by its digest.
  if (/^([^/]+\/)?[^/]+\.tar$/.test(name)) return 'layer'
  return 'extra'
}

/**
 * The entry that a symbolic link means. Only layers are linked, by engines that save one layer under several names.
 * @throws BottleError `artifact-invalid`
 */
export function linkedName(name: string, link: string): string {
  const target = posix.normalize(posix.join(posix.dirname(name), link))
  const isLayer = roleOf(name) === 'layer' && !link.startsWith('/')
  if (!isLayer || target.startsWith('..') || roleOf(target) !== 'layer') {
    throw invalid(`its entry “${printable(name)}” is a symbolic link to “${printable(link)}”.`)
  }
  return target
}
