import { printable, utf8OfBytes } from './printable.ts'
import type { TarEntry } from './tar/entry.ts'
import type { ListedEntry, ScanLimits } from './types.ts'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const MAX_ID = 2 ** 32 - 1
const MAX_NAME = 255

type Kind = ListedEntry['kind']
/** What a path is in this layer; `D` a folder that is only implied by what lies in it. */
type Seen = Kind | 'D'

/** An entry that may be kept: where it is and what it means. */
export interface PlacedEntry {
  /** Relative, without `./`, double or closing slashes; '' is the root. */
  readonly path: string
  readonly kind: Kind
  /** Target of a hard link in the same form, or of a symbolic link as written. */
  readonly link: string
}

/** Why an entry is refused, as a sentence that names it. */
export interface Refusal {
  readonly problem: string
}

export interface LayerRules {
  /** Judges the next entry of the layer and remembers it. */
  place(entry: TarEntry): PlacedEntry | Refusal
  readonly entries: number
  readonly twins: number
  readonly twinExample: readonly [string, string] | null
}

/**
 * The rules that a layer or volume from elsewhere has to keep, so that unpacking it with any tool writes inside its
 * folder only and means the same to all. Real layers, as Docker makes them of real trees, keep them.
 */
export function createLayerRules(kind: 'layer' | 'volume', limits: ScanLimits): LayerRules {
  const seen = new Map<string, Seen>()
  /** mode, uid and gid of folders, which may be told twice when they agree. */
  const folders = new Map<string, string>()
  const folded = new Map<string, string>()
  let entries = 0
  let twins = 0
  let twinExample: readonly [string, string] | null = null
  /** The folder whose chain was found sound last: entries come in runs of one folder. */
  let soundParent = ''

  function place(entry: TarEntry): PlacedEntry | Refusal {
    const refuse = (what: string): Refusal => ({ problem: `“${printable(entry.path)}” ${what}.` })
    entries++
    if (entries > limits.entries)
      return refuse(`is one entry more than the ${limits.entries} that are allowed`)
    if (entry.path.length > limits.pathBytes)
      return refuse(`is a path of more than ${limits.pathBytes} bytes`)
    const bad = badPath(entry)
    if (bad) return refuse(bad)
    const path = normalPath(entry.path)
    if (path === '' && entry.type !== 'folder') return refuse('takes the place of the root folder')
    const cut = path.lastIndexOf('/')
    const parent = cut === -1 ? '' : path.slice(0, cut)
    const name = path.slice(cut + 1)
    const wrong = badNumbers(entry) ?? badParent(parent)
    if (wrong) return refuse(wrong)

    if (kind === 'layer' && name.startsWith(WHITEOUT)) return placeWhiteout(entry, parent, name, refuse)
    if (entry.type === 'char' || entry.type === 'block') {
      if (kind === 'layer' && entry.type === 'char' && entry.major === 0 && entry.minor === 0) {
        return settle(path, 'w', '', refuse)
      }
      if (kind === 'volume' || !isDevicePath(parent)) return refuse('is a device where no device belongs')
    }
    if (entry.type === 'hardlink') return placeHardLink(entry, path, refuse)
    if (entry.type === 'symlink' && (entry.link === '' || entry.link.includes('\0'))) {
      return refuse('is a symbolic link to an impossible name')
    }
    if (entry.type === 'folder') {
      const facts = `${entry.mode},${entry.uid},${entry.gid}`
      const before = folders.get(path)
      if (before !== undefined && before !== facts) return refuse('is there twice')
      folders.set(path, facts)
      if (before !== undefined) return { path, kind: 'd', link: '' }
    }
    return settle(path, KINDS[entry.type], entry.type === 'symlink' ? entry.link : '', refuse)
  }

  function settle(path: string, what: Kind, link: string, refuse: (what: string) => Refusal) {
    const before = seen.get(path)
    if (before === 'D' && what !== 'd') return refuse('is no folder, yet other entries lie in it')
    if (before === 'w' || (before !== undefined && what === 'w')) return refuse('is both removed and there')
    if (before !== undefined && before !== 'D') return refuse('is there twice')
    seen.set(path, what)
    if (what !== 'w') noteTwin(path)
    return { path, kind: what, link }
  }

  function placeWhiteout(
    entry: TarEntry,
    parent: string,
    name: string,
    refuse: (what: string) => Refusal,
  ): PlacedEntry | Refusal {
    if (entry.type !== 'file' || entry.size > 0 || entry.storedSize > 0) {
      return refuse('is a mark of a removed file, yet no empty file')
    }
    if (name === OPAQUE) {
      const mark = parent === '' ? OPAQUE : `${parent}/${OPAQUE}`
      if (seen.has(mark)) return refuse('is there twice')
      seen.set(mark, 'o')
      return { path: parent, kind: 'o', link: '' }
    }
    const removed = name.slice(WHITEOUT.length)
    if (removed === '' || removed === '.' || removed === '..' || removed.startsWith(WHITEOUT)) {
      return refuse('is a false mark of a removed file')
    }
    return settle(parent === '' ? removed : `${parent}/${removed}`, 'w', '', refuse)
  }

  function placeHardLink(
    entry: TarEntry,
    path: string,
    refuse: (what: string) => Refusal,
  ): PlacedEntry | Refusal {
    const { link } = entry
    if (link === '' || link.includes('\0')) return refuse('is a hard link to an impossible name')
    if (link.startsWith('/')) return refuse('is a hard link to an absolute path')
    if (link.split('/').includes('..')) return refuse('is a hard link that points outside')
    if (link.length > limits.pathBytes) return refuse('is a hard link to a path that is too long')
    const target = normalPath(link)
    const at = seen.get(target)
    if (target === '' || at === 'd' || at === 'D') return refuse('is a hard link to a folder')
    if (target === path) return refuse('is a hard link to itself')
    const cut = target.lastIndexOf('/')
    const through = chainProblem(cut === -1 ? '' : target.slice(0, cut), false)
    if (through) return refuse('is a hard link that leads through another link')
    // A layer may link to a file of a layer below; below a volume there is nothing.
    if (kind === 'volume' && at === undefined) return refuse('is a hard link to a file that is not there')
    if (at === 'w') return refuse('is a hard link to a removed file')
    const placed = settle(path, 'h', target, refuse)
    // A hard link to a symbolic link is one itself: nothing may be written through it.
    if (!('problem' in placed) && at === 'l') seen.set(path, 'l')
    return placed
  }

  function badParent(parent: string): string | undefined {
    if (parent === soundParent) return undefined
    const problem = chainProblem(parent, true)
    if (!problem) soundParent = parent
    return problem
  }

  /** Looks at each folder down to this one; with `isNoted` those that no entry named are noted as implied. */
  function chainProblem(folder: string, isNoted: boolean): string | undefined {
    for (let end = folder.indexOf('/'), isLast = folder === ''; !isLast; end = folder.indexOf('/', end + 1)) {
      isLast = end === -1
      const part = isLast ? folder : folder.slice(0, end)
      const what = seen.get(part)
      if (what === 'l') return `would be written through the link “${printable(part)}”`
      if (what !== undefined && what !== 'd' && what !== 'D')
        return `lies in “${printable(part)}”, which is no folder`
      if (what === undefined && isNoted) {
        if (kind === 'layer' && part.slice(part.lastIndexOf('/') + 1).startsWith(WHITEOUT)) {
          return 'lies in a folder with the name of a mark'
        }
        seen.set(part, 'D')
        noteTwin(part)
      }
    }
    return undefined
  }

  function noteTwin(path: string): void {
    const key = fold(path)
    const other = folded.get(key)
    if (other === undefined) folded.set(key, path)
    else if (other !== path) {
      twins++
      twinExample ??= [printable(other), printable(path)]
    }
  }

  return {
    place,
    get entries() {
      return entries
    },
    get twins() {
      return twins
    },
    get twinExample() {
      return twinExample
    },
  }
}

const KINDS: Readonly<Record<TarEntry['type'], Kind>> = {
  file: 'f',
  folder: 'd',
  symlink: 'l',
  hardlink: 'h',
  char: 'c',
  block: 'b',
  pipe: 'p',
}

function badPath(entry: TarEntry): string | undefined {
  const { path } = entry
  if (path === '') return 'is an entry without a name'
  if (path.includes('\0')) return 'has a NUL in its name'
  // A lone slash is how some builders write the root folder.
  if (path.startsWith('/') && path !== '/') return 'is an absolute path'
  if (path.includes('..') && path.split('/').includes('..')) return 'leads outside by “..”'
  if (path.length > MAX_NAME && path.split('/').some((part) => part.length > MAX_NAME)) {
    return `has a name of more than ${MAX_NAME} bytes`
  }
  if (entry.type !== 'folder' && path.endsWith('/')) return 'is no folder, yet ends with a slash'
  return undefined
}

function badNumbers(entry: TarEntry): string | undefined {
  if (entry.uid > MAX_ID || entry.gid > MAX_ID) return 'has an owner that no system has'
  if (entry.type !== 'file' && entry.storedSize > 0) return 'has content, yet is no file'
  return undefined
}

/** Cheap for the usual case: only what has a dot segment or a double slash is taken apart. */
function normalPath(path: string): string {
  let plain = path.startsWith('./') ? path.slice(2) : path
  if (plain.endsWith('/')) plain = plain.slice(0, -1)
  if (plain !== '.' && !plain.includes('//') && !/(^|\/)\.?(\/|$)/.test(plain)) return plain
  return plain
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/** Where device nodes are found in real trees: any `dev`, also of a root file system inside. */
function isDevicePath(parent: string): boolean {
  return /(^|\/)dev(\/|$)|(^|\/)udev\/devices(\/|$)/.test(parent)
}

/** One key for all spellings that a disk which ignores case and Unicode form takes for one. */
function fold(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII is the quick case
  if (/^[\x00-\x7f]*$/.test(path)) return path.toLowerCase()
  const text = utf8OfBytes(path)
  return text === null ? path : text.normalize('NFD').toLowerCase().normalize('NFC')
}
