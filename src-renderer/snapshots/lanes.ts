/** Something with a parent and a time, to be drawn as a node. */
export interface TreeItem {
  readonly id: string
  readonly parent: string | null
  /** ISO time; newer is higher. */
  readonly at: string
}

/** One row of the drawing: a node in its lane and the lines that pass it. */
export interface LaneRow<T> {
  readonly item: T
  readonly lane: number
  /** A line comes from above into this node. */
  readonly hasLineAbove: boolean
  /** A line leaves downwards to the parent. */
  readonly hasLineBelow: boolean
  /** Lanes whose line goes past this row. */
  readonly passing: readonly number[]
  /** Lanes that end here: branches that grew out of this node. */
  readonly joining: readonly number[]
}

/**
 * Lays a forest out in lanes, newest on top, children always above their parent. A child continues its
 * parent's lane where it is free; other children branch off to the right. Unknown parents count as none.
 */
export function layOutLanes<T extends TreeItem>(
  items: readonly T[],
): { readonly rows: readonly LaneRow<T>[]; readonly width: number } {
  const ids = new Set(items.map((item) => item.id))
  const parentOf = (item: T) =>
    item.parent !== null && item.parent !== item.id && ids.has(item.parent) ? item.parent : null
  const rows: LaneRow<T>[] = []
  /** What each lane waits for: the id of the next node on its line, or null when the lane is free. */
  const lanes: (string | null)[] = []
  let width = 0
  for (const item of newestFirst(items, parentOf)) {
    const waiting = lanes.flatMap((id, lane) => (id === item.id ? [lane] : []))
    let lane = waiting[0]
    if (lane === undefined) {
      const free = lanes.indexOf(null)
      lane = free < 0 ? lanes.length : free
    }
    for (const joined of waiting) lanes[joined] = null
    const passing = lanes.flatMap((id, other) => (id !== null && other !== lane ? [other] : []))
    const parent = parentOf(item)
    lanes[lane] = parent
    width = Math.max(width, lane + 1, ...passing.map((other) => other + 1))
    rows.push({
      item,
      lane,
      hasLineAbove: waiting.length > 0,
      hasLineBelow: parent !== null,
      passing,
      joining: waiting.slice(1),
    })
  }
  return { rows, width }
}

/** By time, but never a parent before all of its children, whatever the clocks said. */
function newestFirst<T extends TreeItem>(
  items: readonly T[],
  parentOf: (item: T) => string | null,
): readonly T[] {
  const byId = new Map(items.map((item) => [item.id, item]))
  const children = new Map<string, number>()
  for (const item of items) {
    const parent = parentOf(item)
    if (parent) children.set(parent, (children.get(parent) ?? 0) + 1)
  }
  const newer = (a: T, b: T) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1)
  const ready = items.filter((item) => !children.has(item.id)).sort(newer)
  const ordered: T[] = []
  for (let item = ready.pop(); item; item = ready.pop()) {
    ordered.push(item)
    const parent = parentOf(item)
    if (!parent) continue
    const left = (children.get(parent) ?? 1) - 1
    children.set(parent, left)
    const released = left === 0 ? byId.get(parent) : undefined
    if (released) insert(ready, released, newer)
  }
  return ordered
}

function insert<T>(sorted: T[], item: T, compare: (a: T, b: T) => number): void {
  let at = sorted.length
  while (at > 0) {
    const before = sorted[at - 1]
    if (before === undefined || compare(before, item) <= 0) break
    at -= 1
  }
  sorted.splice(at, 0, item)
}
