import type { WebContents } from 'electron'
import { DESKTOP_CHANNELS, type PageCommand } from '../../src-preload/contract/desktop.ts'
import type { Fidelity } from '../../src-preload/contract/index.ts'
import type { DragCache, TakenFile } from '../artifacts/drag-cache/drag-cache.ts'
import type { DragIcons } from './drag-icons.ts'

/** More files than anybody drags, and fewer than would make main stand still. */
const MOST = 200
/** A file that was seen this short a time ago need not be looked for again: the drag begins at once. */
const FRESH_MS = 60_000

export interface DragOutParts {
  readonly cache: Pick<DragCache, 'take' | 'dragged'>
  readonly icons: DragIcons
  readonly contents: Pick<WebContents, 'startDrag' | 'send' | 'isDestroyed'>
  readonly warn: (error: unknown) => void
  readonly now?: () => number
}

/**
 * Starts a drag with the files of these tokens, in the same turn unless they have not been seen for a while. With one
 * token that stands for no file nothing is dragged, and the page is told which.
 */
export function dragOut(parts: DragOutParts, tokens: unknown): void {
  const { cache, contents } = parts
  const wanted = tokensOf(tokens)
  if (wanted.length === 0) return
  const taken = wanted.map((token) => cache.take(token))
  const refuse = (missing: readonly string[]): void => {
    if (!contents.isDestroyed())
      contents.send(DESKTOP_CHANNELS.command, { id: 'drag-refused', tokens: missing } satisfies PageCommand)
  }
  const files = taken.filter((file) => file !== null)
  if (files.length < wanted.length) {
    refuse(wanted.filter((_token, at) => taken[at] === null))
    return
  }
  const now = (parts.now ?? Date.now)()
  if (files.every(({ seenAt }) => now - seenAt < FRESH_MS)) {
    begin(parts, files)
    return
  }
  Promise.all(files.map((file) => file.isThere()))
    .then((there) => {
      if (there.includes(false)) refuse(wanted.filter((_token, at) => there[at] === false))
      else if (!contents.isDestroyed()) begin(parts, files)
    })
    .catch(parts.warn)
}

function begin({ cache, icons, contents, warn }: DragOutParts, files: readonly TakenFile[]): void {
  const [first] = files
  if (!first) return
  const icon = icons[iconName(files.map(({ fidelity }) => fidelity))]
  // Noted first: where a drag holds main until the drop, the files are read meanwhile.
  cache.dragged(files.map(({ token }) => token)).catch(warn)
  try {
    contents.startDrag({ file: first.file, files: files.map(({ file }) => file), icon })
  } catch (error) {
    warn(error)
  }
}

function tokensOf(tokens: unknown): readonly string[] {
  if (!Array.isArray(tokens) || tokens.length > MOST) return []
  const words = tokens.filter((token) => typeof token === 'string')
  return words.length === tokens.length ? [...new Set(words)] : []
}

/** One file shows what it holds, several show a stack. Pure. */
export function iconName(fidelities: readonly Fidelity[]): keyof DragIcons {
  const [first, ...more] = fidelities
  return more.length > 0 ? 'several' : (first ?? 'files')
}
