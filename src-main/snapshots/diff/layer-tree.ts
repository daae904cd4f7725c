import type { ListedEntry } from '../../workers/types.ts'

/**
 * A file system as its layers leave it. Trees share what they have in common: applying layers to a tree copies only
 * the folders on the way, so that two snapshots of one base differ just where they are not the same object.
 */
export interface TreeNode {
  /** Null for a folder that no layer lists, which its entries imply. For a hard link that of its target. */
  readonly entry: ListedEntry | null
  /** Position of the layer that the entry comes from. */
  readonly layer: number
  /** Null for what is no folder. */
  readonly children: ReadonlyMap<string, TreeNode> | null
}

interface MutableNode extends TreeNode {
  entry: ListedEntry | null
  layer: number
  children: Map<string, MutableNode> | null
  /** Who may change this node in place; all others copy it. */
  owner: object | null
}

const NOBODY: object = {}

export const EMPTY_TREE: TreeNode = folderNode(null, 0, NOBODY)

function folderNode(entry: ListedEntry | null, layer: number, owner: object): MutableNode {
  return { entry, layer, children: new Map(), owner }
}

/**
 * The tree with one more layer on it. Whiteouts and opaque folders hide what lies below the layer, never what the
 * layer brings itself, in whatever order its entries come. A hard link is its target as it is in this layer. Pure.
 */
export function applyLayer(tree: TreeNode, entries: readonly ListedEntry[], layer: number): TreeNode {
  const owner = {}
  const root = own(tree as MutableNode, owner)
  for (const entry of entries) {
    if (entry.kind === 'w') remove(root, entry.path, owner)
    else if (entry.kind === 'o') empty(root, entry.path, owner)
  }
  const links: ListedEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'h') links.push(entry)
    else if (entry.kind !== 'w' && entry.kind !== 'o') put(root, entry.path, entry, layer, owner)
  }
  let waiting = links
  // A link may name another link that comes later; a circle resolves to nothing and ends the loop.
  while (waiting.length > 0) {
    const left = waiting.filter((link) => !putLink(root, link, layer, owner))
    if (left.length === waiting.length) break
    waiting = left
  }
  return root
}

/** The node at a path, undefined when there is none. Pure. */
export function nodeAt(tree: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = tree
  for (const name of namesOf(path)) node = node?.children?.get(name)
  return node
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function own(node: MutableNode, owner: object): MutableNode {
  if (node.owner === owner) return node
  return { ...node, children: node.children && new Map(node.children), owner }
}

/** The folder that holds a path's last name, made where it is missing; null when `make` is off and it is missing. */
function folderOf(
  root: MutableNode,
  names: readonly string[],
  owner: object,
  layer: number | null,
): Map<string, MutableNode> | null {
  let node = root
  for (const name of names.slice(0, -1)) {
    const held = node.children?.get(name)
    if (!held?.children && layer === null) return null
    const next = held?.children ? own(held, owner) : folderNode(null, layer ?? 0, owner)
    node.children?.set(name, next)
    node = next
  }
  return node.children
}

function remove(root: MutableNode, path: string, owner: object): void {
  const names = namesOf(path)
  const last = names.at(-1)
  if (last !== undefined && nodeAt(root, path)) folderOf(root, names, owner, null)?.delete(last)
}

function empty(root: MutableNode, path: string, owner: object): void {
  const names = namesOf(path)
  const last = names.at(-1)
  if (last === undefined) {
    root.children = new Map()
    return
  }
  const held = nodeAt(root, path) as MutableNode | undefined
  if (held?.children) folderOf(root, names, owner, null)?.set(last, { ...held, children: new Map(), owner })
}

function put(root: MutableNode, path: string, entry: ListedEntry, layer: number, owner: object): void {
  const names = namesOf(path)
  const last = names.at(-1)
  if (last === undefined) {
    root.entry = entry
    return
  }
  const folder = folderOf(root, names, owner, layer)
  if (!folder) return
  if (entry.kind !== 'd') {
    folder.set(last, { entry, layer, children: null, owner })
    return
  }
  const held = folder.get(last)
  const node = held?.children ? own(held, owner) : folderNode(null, layer, owner)
  node.entry = entry
  node.layer = layer
  folder.set(last, node)
}

/** False when the target is not there (yet). */
function putLink(root: MutableNode, link: ListedEntry, layer: number, owner: object): boolean {
  const target = nodeAt(root, link.link)
  if (!target?.entry || target.children) return false
  const names = namesOf(link.path)
  const last = names.at(-1)
  if (last === undefined) return true
  folderOf(root, names, owner, layer)?.set(last, {
    entry: target.entry,
    layer: target.layer,
    children: null,
    owner,
  })
  return true
}
