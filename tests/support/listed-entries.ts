import type { ListedEntry } from '../../src-main/workers/types.ts'

type Over = Partial<ListedEntry>

function entry(path: string, kind: ListedEntry['kind'], over: Over): ListedEntry {
  return {
    path,
    kind,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: '1',
    link: '',
    hash: '',
    extra: '',
    ...over,
  }
}

/** A file; its text stands for its hash too. */
export function textFile(path: string, text: string, over: Over = {}): ListedEntry {
  return entry(path, 'f', { size: text.length, hash: text, ...over })
}

export function folder(path: string, over: Over = {}): ListedEntry {
  return entry(path, 'd', { mode: 0o755, ...over })
}

export function symlink(path: string, link: string, over: Over = {}): ListedEntry {
  return entry(path, 'l', { mode: 0o777, link, ...over })
}

export function hardLink(path: string, link: string): ListedEntry {
  return entry(path, 'h', { link })
}

export function whiteout(path: string): ListedEntry {
  return entry(path, 'w', {})
}

export function opaque(path: string): ListedEntry {
  return entry(path, 'o', {})
}
