import type { ListedEntry } from '../../workers/types.ts'

/** A set of paths that matter, so that a large layer below need not be taken in whole. */
export interface WantedPaths {
  /** A path matters, and the folders on the way to it. `isWhole`: everything below it does too. */
  add(path: string, isWhole: boolean): void
  /** The next layer begins: of each folder that matters, one entry tells again that the layer has it. */
  begin(): void
  /**
   * True for what matters. Also for the first other thing in a folder that matters: a layer may list what lies in a
   * folder and not the folder itself, which is there all the same.
   */
  takes(path: string, kind: string): boolean
  has(path: string): boolean
}

interface Node {
  readonly children: Map<string, Node>
  isWhole: boolean
  /** The layer in which something in this folder was taken. */
  seenIn: number
}

const newNode = (): Node => ({ children: new Map(), isWhole: false, seenIn: 0 })

/** Where a folder is in the set: its node or the nearest one above it, or all of it. */
interface Place {
  readonly node: Node
  readonly isExact: boolean
  readonly isWhole: boolean
}

/** Pure but for its own memory of the folder that was asked for last: listings come in runs of one folder. */
export function createWantedPaths(): WantedPaths {
  const root = newNode()
  let layer = 1
  let lastFolder: string | null = null
  let lastPlace: Place = { node: root, isExact: true, isWhole: false }

  function placeOf(folder: string): Place {
    if (folder === lastFolder) return lastPlace
    let node = root
    let isExact = true
    for (const name of folder === '' ? [] : folder.split('/')) {
      const next = node.isWhole ? undefined : node.children.get(name)
      if (!next) {
        isExact = false
        break
      }
      node = next
    }
    lastFolder = folder
    lastPlace = { node, isExact, isWhole: node.isWhole }
    return lastPlace
  }

  function find(path: string): { readonly isIn: boolean; readonly node: Node } {
    const cut = path.lastIndexOf('/')
    const { node, isExact, isWhole } = placeOf(cut === -1 ? '' : path.slice(0, cut))
    const isIn = isWhole || path === '' || (isExact && node.children.has(path.slice(cut + 1)))
    return { isIn, node }
  }

  return {
    add(path, isWhole) {
      lastFolder = null
      let node = root
      for (const name of path === '' ? [] : path.split('/')) {
        const next = node.children.get(name) ?? newNode()
        node.children.set(name, next)
        node = next
      }
      if (isWhole) node.isWhole = true
    },
    begin() {
      layer += 1
    },
    takes(path, kind) {
      const { isIn, node } = find(path)
      if (isIn) return true
      if (node.seenIn === layer || kind === 'w' || kind === 'o') return false
      // A link may lead nowhere, and then it tells nothing.
      if (kind !== 'h') node.seenIn = layer
      return true
    },
    has: (path) => find(path).isIn,
  }
}

/** What entries of an upper layer need to know of the layers below: what they replace, hide or link to. */
export function wantBelow(wanted: WantedPaths, entries: readonly ListedEntry[]): void {
  for (const { path, kind, link } of entries) {
    // Anything but a folder may have taken the place of a folder with all that was in it.
    wanted.add(path, kind !== 'd')
    if (kind === 'h') wanted.add(link, false)
  }
}
