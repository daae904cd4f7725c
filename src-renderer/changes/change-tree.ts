import type { DiffEntry, DiffFolder } from '../../src-preload/contract/artifacts.ts'

/** A folder with the sum of all below it, or one changed path. */
export interface ChangeNode {
  readonly path: string
  /** The part of the path that its parent does not say already. */
  readonly name: string
  readonly folder: DiffFolder | null
  /** The change of this very path; null for a folder that only holds changes. */
  readonly entry: DiffEntry | null
  /** Bytes more, or less, than before. */
  readonly bytes: number
  readonly children: readonly ChangeNode[]
}

interface Draft {
  readonly path: string
  folder: DiffFolder | null
  entry: DiffEntry | null
  readonly children: Draft[]
}

/**
 * Builds the tree of changed paths. Folders that hold nothing but one folder are joined with it; the largest change
 * comes first.
 */
export function changeTree(
  folders: readonly DiffFolder[],
  entries: readonly DiffEntry[],
): readonly ChangeNode[] {
  const drafts = new Map<string, Draft>()
  const roots: Draft[] = []
  const draftOf = (path: string): Draft => {
    const known = drafts.get(path)
    if (known) return known
    const made: Draft = { path, folder: null, entry: null, children: [] }
    drafts.set(path, made)
    return made
  }
  for (const folder of folders) draftOf(folder.path).folder = folder
  for (const entry of entries) draftOf(entry.path).entry = entry
  for (const draft of drafts.values()) (parentOf(drafts, draft.path)?.children ?? roots).push(draft)
  return finish(roots, '')
}

/** The nearest folder above that is in the list: deep ones may have been left out. */
function parentOf(drafts: ReadonlyMap<string, Draft>, path: string): Draft | undefined {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const above = drafts.get(path.slice(0, at))
    if (above) return above
  }
  return undefined
}

function finish(drafts: readonly Draft[], above: string): readonly ChangeNode[] {
  return drafts
    .map((draft) => nodeOf(joined(draft), above))
    .sort((a, b) => Math.abs(b.bytes) - Math.abs(a.bytes) || (a.name < b.name ? -1 : 1))
}

function joined(draft: Draft): Draft {
  let at = draft
  for (;;) {
    const [only, ...more] = at.children
    if (!only || more.length > 0 || only.children.length === 0 || at.entry) return at
    at = only
  }
}

function nodeOf(draft: Draft, above: string): ChangeNode {
  const { path, folder, entry } = draft
  const own = entry ? (entry.bytesAfter ?? 0) - (entry.bytesBefore ?? 0) : 0
  return {
    path,
    name: path.slice(above.length).replace(/^\//, '') || path,
    folder,
    entry,
    bytes: folder?.bytes ?? own,
    children: finish(draft.children, path),
  }
}

export interface ChangeRow {
  readonly node: ChangeNode
  /** From 1. */
  readonly level: number
  readonly isOpen: boolean
  /** Between 0 and 1: its change beside the largest of the whole tree. */
  readonly share: number
}

/** The rows that are visible with these folders open. */
export function changeRows(tree: readonly ChangeNode[], open: ReadonlySet<string>): readonly ChangeRow[] {
  const largest = Math.max(1, ...tree.map((node) => Math.abs(node.bytes)))
  const rows: ChangeRow[] = []
  const walk = (nodes: readonly ChangeNode[], level: number): void => {
    for (const node of nodes) {
      const isOpen = open.has(node.path)
      rows.push({ node, level, isOpen, share: Math.min(1, Math.abs(node.bytes) / largest) })
      if (isOpen) walk(node.children, level + 1)
    }
  }
  walk(tree, 1)
  return rows
}

const FEW = 25

/** Folders that are open at first: as many levels as stay easy to survey. */
export function openAtFirst(tree: readonly ChangeNode[]): ReadonlySet<string> {
  const open = new Set<string>()
  let level = tree
  let shown = tree.length
  while (level.length > 0) {
    const next = level.flatMap((node) => node.children)
    shown += next.length
    if (next.length === 0 || shown > FEW) break
    for (const node of level) if (node.children.length > 0) open.add(node.path)
    level = next
  }
  return open
}
