import type { AgentPath, FileObstacle } from './agent-access.ts'

/** Something that lies where a text should be, and that a rewritten text would replace. */
export interface Blocked {
  readonly blocked: FileObstacle | 'not-text'
}

/** What lies at a path: a text, nothing, or something that can't be rewritten. */
export type Found = string | null | Blocked

/** True for what can't be rewritten. Pure. */
export const isBlocked = (found: Found): found is Blocked => typeof found === 'object' && found !== null

/** How a thing that is in the way is called. Pure. */
export function blockedAs({ blocked }: Blocked): string {
  if (blocked === 'link') return 'a symbolic link, or lies behind one'
  if (blocked === 'unreadable') return 'not readable'
  return blocked === 'not-text' ? 'not a text in UTF-8' : 'not a plain file'
}

/** Files of an agent that are rewritten from what they hold, while nothing of it runs or just before it ends. */
export interface MergedFiles {
  readonly paths: readonly AgentPath[]
  /**
   * What was found, in the order of `paths`, to what shall be there; null for no file. What stays as it is, is given
   * back as it was found. Pure.
   * @throws BottleError when a person's text could only be overwritten; nothing is written then
   */
  readonly merge: (found: readonly Found[]) => Merge
}

/** What a merge decided. */
export interface Merge {
  readonly texts: readonly Found[]
  /** What was left out, for a person. */
  readonly notices: readonly string[]
}

/** How files are reached for a merge. */
export interface MergeAccess {
  /** Null only where nothing is. */
  read(file: AgentPath): Promise<Uint8Array | Blocked | null>
  write(file: AgentPath, content: Uint8Array): Promise<void>
  remove(file: AgentPath): Promise<void>
}

/**
 * Reads, merges and writes what changed; a file that is right already is left alone. What is written goes in order and
 * before what is removed, the first one last, so that a record in it is never missing while it is needed. Resolves with
 * the notices. @throws BottleError
 */
export async function mergeFiles(
  { paths, merge }: MergedFiles,
  access: MergeAccess,
): Promise<readonly string[]> {
  const found: Found[] = []
  for (const path of paths) {
    const content = await access.read(path)
    found.push(content instanceof Uint8Array ? textOf(content) : content)
  }
  const { texts, notices } = merge(found)
  const changed = paths.flatMap((path, index) => {
    const text = texts[index] ?? null
    return text === found[index] || isBlocked(text) ? [] : [{ path, text }]
  })
  for (const { path, text } of changed) if (text !== null) await access.write(path, Buffer.from(text))
  for (const { path, text } of changed.reverse()) if (text === null) await access.remove(path)
  return notices
}

/** The text of a file, which is written back byte for byte. */
function textOf(content: Uint8Array): string | Blocked {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return { blocked: 'not-text' }
  }
}
