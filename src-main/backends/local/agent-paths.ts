import { bottleError } from '../../system/bottle-error.ts'
import type { AgentPath } from '../agent-access.ts'

/** How deep below a folder a list looks, and how many entries it looks at, since an agent can make any number. */
export const LIST_DEPTH = 8
export const LIST_ENTRIES = 20_000
/** Largest file that is read as a whole; of larger ones only an end can be had. */
export const READ_BYTES = 64 * 1024 * 1024

/**
 * The names on the way from the base; none for the base itself. Pure.
 * @throws BottleError `denied` for a path that leaves its base
 */
export function pathParts({ base, path }: AgentPath): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (path.startsWith('/') || path.includes('\0') || parts.includes('..')) {
    throw bottleError('denied', `${JSON.stringify(path)} leads out of the agent's ${base}.`)
  }
  return parts
}

/** The same for a file, which has at least a name. Pure. @throws BottleError `denied` */
export function fileParts(file: AgentPath): { readonly folders: readonly string[]; readonly name: string } {
  const parts = pathParts(file)
  const name = parts.at(-1)
  if (name === undefined) throw bottleError('denied', `${JSON.stringify(file.path)} is not a file's name.`)
  return { folders: parts.slice(0, -1), name }
}

/** @throws BottleError `unsupported` for a file that is too large to be read as a whole */
export function requireReadable(file: AgentPath, bytes: number): void {
  if (bytes <= READ_BYTES) return
  throw bottleError(
    'unsupported',
    `${file.path} of the agent is larger than ${READ_BYTES / 1024 / 1024} MB, so only its end can be read.`,
  )
}

/** What was not a path to write through. Pure. */
export function notThrough(path: string, kind: 'link' | 'other'): Error {
  return bottleError(
    'permission',
    `${path} is ${kind === 'link' ? 'a symbolic link' : 'not a folder'}, and Icebox does not write through it. Remove it in the bottle and try again.`,
  )
}
