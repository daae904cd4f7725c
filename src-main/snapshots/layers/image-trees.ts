import type { ListedEntry } from '../../workers/types.ts'
import { applyLayer, EMPTY_TREE, type TreeNode } from '../diff/layer-tree.ts'
import type { LayerReader, LayerSource } from './layer-reader.ts'
import { createWantedPaths, type WantedPaths, wantBelow } from './wanted-paths.ts'

/** A path that the caller looks up in the trees; `isWhole` with all that is below it. */
export interface LookedUp {
  readonly path: string
  readonly isWhole: boolean
}

/**
 * The file systems of two images, as far as they can differ and as far as the caller looks. What they have in common
 * at the bottom is built once and shared, and of it only what the layers above touch: comparing two snapshots costs
 * what they differ.
 */
export async function readImageTrees(
  reader: LayerReader,
  from: LayerSource,
  to: LayerSource,
  lookedUp: readonly LookedUp[],
  signal: AbortSignal,
): Promise<{ readonly from: TreeNode; readonly to: TreeNode }> {
  await reader.prepare(from, from.image.diffIds, signal)
  await reader.prepare(to, to.image.diffIds, signal)
  const shared = commonLength(from.image.diffIds, to.image.diffIds)
  const upper = {
    from: await readAll(reader, from.image.diffIds.slice(shared), signal),
    to: await readAll(reader, to.image.diffIds.slice(shared), signal),
  }
  const wanted = createWantedPaths()
  for (const { path, isWhole } of lookedUp) wanted.add(path, isWhole)
  for (const entries of [...upper.from, ...upper.to]) wantBelow(wanted, entries)
  const below = await readWanted(reader, from.image.diffIds.slice(0, shared), wanted, signal)
  const base = stack(EMPTY_TREE, below, 0)
  return { from: stack(base, upper.from, shared), to: stack(base, upper.to, shared) }
}

async function readAll(
  reader: LayerReader,
  diffIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly (readonly ListedEntry[])[]> {
  const layers: (readonly ListedEntry[])[] = []
  for (const diffId of diffIds) layers.push(await reader.entries(diffId, null, signal))
  return layers
}

/** A hard link that matters makes its target matter; then all is read once more, which hardly ever happens. */
async function readWanted(
  reader: LayerReader,
  diffIds: readonly string[],
  wanted: WantedPaths,
  signal: AbortSignal,
): Promise<readonly (readonly ListedEntry[])[]> {
  for (;;) {
    const layers: (readonly ListedEntry[])[] = []
    let hasMore = false
    for (const diffId of diffIds) {
      wanted.begin()
      const entries = await reader.entries(diffId, wanted.takes, signal)
      layers.push(entries)
      for (const { kind, link } of entries) {
        if (kind !== 'h' || wanted.has(link)) continue
        wanted.add(link, false)
        hasMore = true
      }
    }
    if (!hasMore) return layers
  }
}

function stack(under: TreeNode, layers: readonly (readonly ListedEntry[])[], first: number): TreeNode {
  return layers.reduce((tree, entries, at) => applyLayer(tree, entries, first + at), under)
}

/** How many layers two images share from the bottom. Pure. */
export function commonLength(a: readonly string[], b: readonly string[]): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}
