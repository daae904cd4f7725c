import type { ConfigChange } from '../../src-preload/contract/index.ts'
import type { TreeChange } from '../snapshots/diff/compare-trees.ts'
import type { TreeNode } from '../snapshots/diff/layer-tree.ts'

export type SideName = 'from' | 'to'

/** Two points made comparable: their trees, and a way to the content of single files. */
export interface Comparison {
  readonly from: TreeNode
  readonly to: TreeNode
  /** Stands before every path that is shown. */
  readonly prefix: string
  readonly config: readonly ConfigChange[]
  readonly notices: readonly string[]
  /** The text of a changed package list on one side; null where there is none, undefined where it can't be had. */
  packageList(side: SideName, change: TreeChange): Promise<string | null | undefined>
  /** The bytes of a file (more than TEXT_MAX are cut off after one more); null where there is none, a reason as text. */
  readFile(side: SideName, path: string): Promise<Uint8Array | null | string>
}

/** The node of a change on one side. */
export const nodeOf = (side: SideName, change: TreeChange) => (side === 'from' ? change.before : change.after)

/** Why a node has no content to compare as text; null for a file. */
export function noText(node: TreeNode): string | null {
  if (node.children) return 'It is a folder.'
  if (node.entry?.kind === 'f') return null
  return node.entry?.kind === 'l' ? 'It is a symbolic link.' : 'It is no file.'
}
