import type { RuntimeDifference } from '../../backends/portable.ts'
import type { ListedEntry } from '../../workers/types.ts'
import { applyLayer, nodeAt, type TreeNode } from './layer-tree.ts'

/** The snapshot that a runtime is compared with. */
export interface Frozen {
  readonly tree: TreeNode
  /** Seconds since the epoch at which it was taken. */
  readonly at: number
}

/** A file that was written so shortly before the freeze may have been written once more after it, unseen. */
const RACY_SECONDS = 2

/**
 * A tree as a runtime has changed it since, as far as its engine tells: which paths, of what size and time, but not
 * their content. A file whose size and time are those that the snapshot has is the snapshot's; of all others the
 * content counts as new. Owners and attributes are not told, so they are those known before. Pure.
 */
export function applyDifferences(
  tree: TreeNode,
  differences: readonly RuntimeDifference[],
  layer: number,
  frozen: Frozen | null,
): TreeNode {
  const entries = differences.flatMap((difference) => {
    const path = difference.path.replace(/^\/+/, '')
    const kept = frozen ? nodeAt(frozen.tree, path) : undefined
    if (difference.isCovered) return kept?.entry ? [{ ...kept.entry, path }] : []
    if (difference.kind === 'removed') return [plain(path, 'w')]
    const held = kept ?? nodeAt(tree, path)
    if (difference.isFolder) {
      const like = held?.children && held.entry ? held.entry : plain(path, 'd')
      return [withMode({ ...like, path }, difference)]
    }
    if (frozen && kept?.entry && isUntouched(difference, kept, frozen.at)) {
      return [withMode({ ...kept.entry, path }, difference)]
    }
    return [withMode(unknownContent(path, difference, held), difference)]
  })
  return applyLayer(tree, entries, layer)
}

function isUntouched(
  { bytes, modified }: RuntimeDifference,
  { entry, children }: TreeNode,
  at: number,
): boolean {
  if (!entry || children || modified === undefined || modified >= Math.floor(at) - RACY_SECONDS) return false
  if (Math.floor(Number(entry.mtime)) !== modified) return false
  return bytes === null ? entry.kind !== 'f' : entry.kind === 'f' && entry.size === bytes
}

function unknownContent(path: string, { bytes }: RuntimeDifference, held: TreeNode | undefined): ListedEntry {
  const before = held?.entry && !held.children ? held.entry : null
  if (bytes !== null)
    return { ...(before ?? plain(path, 'f')), path, kind: 'f', size: bytes, hash: 'unknown' }
  // What is no file is mostly a link.
  const kind = before && before.kind !== 'f' ? before.kind : 'l'
  return {
    ...(before ?? plain(path, kind)),
    path,
    kind,
    size: 0,
    link: '\0unknown',
    extra: 'unknown',
    hash: '',
  }
}

function withMode(entry: ListedEntry, { mode }: RuntimeDifference): ListedEntry {
  return mode === undefined ? entry : { ...entry, mode }
}

function plain(path: string, kind: ListedEntry['kind']): ListedEntry {
  const mode = kind === 'd' ? 0o755 : 0o644
  return { path, kind, mode, uid: 0, gid: 0, size: 0, mtime: '', link: '', hash: '', extra: '' }
}
