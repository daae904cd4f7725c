import { posix } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { TarEntry } from '../../workers/tar/entry.ts'
import { OPAQUE, type Relocation, WHITEOUT } from '../../workers/tar/relocate.ts'
import type { RunConfig } from '../portable.ts'

/** Where a container has the two trees of a bottle. Absolute; null: no home of its own there. */
export interface TreePlaces {
  readonly workspace: string
  readonly home: string | null
}

/** The same trees in the image of a host bottle. Source: state-and-artifacts.md, "Host ↔ container". */
const WORKSPACE = 'workspace'
const HOME = 'home/agent'

/** The working folder of an image that names none. */
export const DEFAULT_WORKSPACE = '/workspace'

/** The trees' places in a container; a home that is the whole file system or the working folder itself is none. Pure. */
export function placesOf(config: Pick<RunConfig, 'WorkingDir'>, home: string | null): TreePlaces {
  const workspace = clean(config.WorkingDir || DEFAULT_WORKSPACE)
  const own = home === null ? null : clean(home)
  return { workspace, home: own === '/' || own === workspace ? null : own }
}

/**
 * Whether the working folder can be told from the rest: in the whole file system it can't. Pure.
 * @throws BottleError `unsupported`
 */
export function requireOwnWorkspace({ workspace }: TreePlaces): void {
  if (workspace !== '/') return
  throw bottleError(
    'unsupported',
    'The working folder is /, so nothing tells which files are the work. Give the bottle a `workdir`.',
  )
}

const clean = (path: string): string => posix.resolve('/', path)

interface Tree {
  /** Without the first slash. */
  readonly root: string
  readonly tree: string
}

/** The deeper tree first: what lies in it belongs to it, wherever it lies. */
function treesOf({ workspace, home }: TreePlaces): readonly Tree[] {
  const trees = [
    { root: workspace.slice(1), tree: WORKSPACE },
    ...(home === null ? [] : [{ root: home.slice(1), tree: HOME }]),
  ]
  return trees.sort((one, other) => other.root.length - one.root.length)
}

const isIn = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`)

/** From a container's layers to those of a host bottle: the two trees, and nothing else. Pure. */
export function toHostTrees(places: TreePlaces): Pick<Relocation, 'place' | 'marks'> {
  const trees = treesOf(places)
  const treeAt = (path: string): string | null => {
    const found = trees.find(({ root }) => isIn(path, root))
    return found ? `${found.tree}${path.slice(found.root.length)}` : null
  }
  return {
    place(path, entry) {
      const above = entry.type === 'folder' ? undefined : trees.find(({ root }) => isIn(root, path))
      if (above && entry.type !== 'hardlink') throw isNoFolder(path, entry, above.root)
      return treeAt(path)
    },
    marks(path) {
      const slash = path.lastIndexOf('/')
      const folder = slash < 0 ? '' : path.slice(0, slash)
      const name = path.slice(slash + 1)
      const gone = name === OPAQUE ? folder : joined(folder, name.slice(WHITEOUT.length))
      const emptied = trees.filter(({ root }) => isIn(root, gone)).map(({ tree }) => `${tree}/${OPAQUE}`)
      const isRoot = trees.some(({ root }) => root === gone)
      const place = isRoot ? null : treeAt(gone)
      if (place === null) return emptied
      if (name === OPAQUE) return [...emptied, `${place}/${OPAQUE}`]
      return [...emptied, `${posix.dirname(place)}/${WHITEOUT}${posix.basename(place)}`]
    },
  }
}

/** From the layer of a host bottle to its places in a container. Pure. */
export function fromHostTrees(places: TreePlaces): Pick<Relocation, 'place' | 'marks' | 'opaque'> {
  const trees = treesOf(places)
  return {
    place(path) {
      const from = trees.find(({ tree }) => isIn(path, tree))
      if (!from) return null
      const place = `${from.root}${path.slice(from.tree.length)}`
      const other = trees.find(
        (tree) => tree !== from && isIn(tree.root, from.root) && isIn(place, tree.root),
      )
      if (other) throw isTaken(place, other.root)
      return place
    },
    marks: () => [],
    opaque: new Set(trees.map(({ root }) => root)),
  }
}

const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

function isNoFolder(path: string, { type }: TarEntry, root: string) {
  return bottleError(
    'unsupported',
    `/${path} of the image is a ${type}, so /${root} can't be told from the rest of its files.`,
  )
}

function isTaken(path: string, root: string) {
  return bottleError(
    'unsupported',
    `The bottle has files of its own at /${path}, where the image has /${root}. Move them and freeze again.`,
  )
}
