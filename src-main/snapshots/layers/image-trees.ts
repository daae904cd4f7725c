import { applyLayer, EMPTY_TREE, type TreeNode } from '../diff/layer-tree.ts'
import type { LayerReader, LayerSource } from './layer-reader.ts'

/**
 * The file systems of two images. What they have in common at the bottom is built once and shared, so that comparing
 * them costs what they differ.
 */
export async function readImageTrees(
  reader: LayerReader,
  from: LayerSource,
  to: LayerSource,
  signal: AbortSignal,
): Promise<{ readonly from: TreeNode; readonly to: TreeNode }> {
  await reader.prepare(from, from.image.diffIds, signal)
  await reader.prepare(to, to.image.diffIds, signal)
  const shared = commonLength(from.image.diffIds, to.image.diffIds)
  const base = await build(reader, EMPTY_TREE, from.image.diffIds.slice(0, shared), 0, signal)
  return {
    from: await build(reader, base, from.image.diffIds.slice(shared), shared, signal),
    to: await build(reader, base, to.image.diffIds.slice(shared), shared, signal),
  }
}

async function build(
  reader: LayerReader,
  under: TreeNode,
  diffIds: readonly string[],
  first: number,
  signal: AbortSignal,
): Promise<TreeNode> {
  let tree = under
  for (const [at, diffId] of diffIds.entries()) {
    tree = applyLayer(tree, await reader.entries(diffId, signal), first + at)
  }
  return tree
}

/** How many layers two images share from the bottom. Pure. */
export function commonLength(a: readonly string[], b: readonly string[]): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}
