/** What the tree needs of a snapshot. */
export interface TreeNode {
  readonly id: string
  readonly parent: string | null
}

interface Strokes {
  readonly tee: string
  readonly last: string
  readonly pipe: string
  readonly blank: string
}

const UNICODE: Strokes = { tee: '├─ ', last: '└─ ', pipe: '│  ', blank: '   ' }
const ASCII: Strokes = { tee: '|- ', last: '`- ', pipe: '|  ', blank: '   ' }

/**
 * Draws snapshots as a tree, oldest first, one line each; a chain without branches stays in one lane, so that a
 * hundred freezes do not walk off the screen. A parent that is not in the list makes a root; a damaged cycle is
 * shown from its oldest member. Every node appears exactly once.
 */
export function drawTree<Node extends TreeNode>(
  nodes: readonly Node[],
  label: (node: Node) => string,
  unicode: boolean,
): string[] {
  const strokes = unicode ? UNICODE : ASCII
  const ordered = [...nodes].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const known = new Set(ordered.map((node) => node.id))
  const children = new Map<string | null, Node[]>()
  for (const node of ordered) {
    const parent =
      node.parent !== null && known.has(node.parent) && node.parent !== node.id ? node.parent : null
    const siblings = children.get(parent)
    if (siblings) siblings.push(node)
    else children.set(parent, [node])
  }
  const lines: string[] = []
  const drawn = new Set<string>()
  // An explicit stack: a chain of thousands must not exhaust the call stack.
  const stack: { node: Node; lead: string; rest: string }[] = []
  const push = (siblings: readonly Node[], prefix: string, branched: boolean) => {
    for (let index = siblings.length - 1; index >= 0; index--) {
      const node = siblings[index]
      if (!node) continue
      const isLast = index === siblings.length - 1
      stack.push({
        node,
        lead: branched ? prefix + (isLast ? strokes.last : strokes.tee) : prefix,
        rest: branched ? prefix + (isLast ? strokes.blank : strokes.pipe) : prefix,
      })
    }
  }
  const walk = (roots: readonly Node[]) => {
    push(roots, '', false)
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (drawn.has(next.node.id)) continue
      drawn.add(next.node.id)
      lines.push(next.lead + label(next.node))
      const below = children.get(next.node.id) ?? []
      push(below, next.rest, below.length > 1)
    }
  }
  walk(children.get(null) ?? [])
  for (const node of ordered) if (!drawn.has(node.id)) walk([node])
  return lines
}
