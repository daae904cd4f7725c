import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MenuCommand } from '../menus/menu-types.ts'
import { LINK_SCHEME, parseDeepLink } from './deep-links.ts'

/** What somebody outside asks the app to open. */
export interface OpenRequest {
  readonly commands: readonly MenuCommand[]
  /** Absolute paths of `.bottle` files, as they were given: whoever imports them looks at them first. */
  readonly files: readonly string[]
}

/** More than anybody drops on an icon on purpose. */
const MOST = 32

/** The words of a command line that may mean something to a running instance. Pure. */
export function outsideWords(args: readonly string[]): string[] {
  return args.filter((word) => isLink(word) || word.endsWith('.bottle')).slice(0, 2 * MOST)
}

function isLink(word: string): boolean {
  return word.startsWith(`${LINK_SCHEME}:`)
}

/**
 * Links and `.bottle` files of a command line; everything else on it is passed over. Relative paths are those of the
 * folder where it was typed. Pure.
 */
export function openRequest(args: readonly unknown[], cwd: string): OpenRequest {
  const words = args.filter((word) => typeof word === 'string')
  const links = words.filter(isLink).slice(0, MOST)
  const files = words.map((word) => bottleFile(word, cwd)).filter((file) => file !== null)
  return {
    commands: links.map(parseDeepLink).filter((command) => command !== null),
    files: [...new Set(files)].slice(0, MOST),
  }
}

/** The absolute path of one `.bottle` file, or null for anything else. Desktops on Linux give `file:` addresses. Pure. */
export function bottleFile(word: string, cwd: string): string | null {
  if (!word.endsWith('.bottle') || word.startsWith('-') || word.includes('\0') || word.length > 4096)
    return null
  if (word.startsWith('file:///')) return pathOf(word)
  if (/^[a-z][a-z0-9+.-]*:/i.test(word)) return null
  return isAbsolute(word) || isAbsolute(cwd) ? resolve(cwd, word) : null
}

function pathOf(address: string): string | null {
  try {
    return fileURLToPath(address)
  } catch {
    return null
  }
}

/**
 * Reads the words and folder that a second instance sent along; any program of this user can send them. The command line
 * that Chromium passes on is reordered and has switches added. Pure.
 */
export function requestOfInstance(data: unknown): OpenRequest {
  const { args, cwd } = (typeof data === 'object' && data !== null ? data : {}) as {
    readonly args?: unknown
    readonly cwd?: unknown
  }
  return openRequest(Array.isArray(args) ? args.slice(0, 1000) : [], typeof cwd === 'string' ? cwd : '')
}
