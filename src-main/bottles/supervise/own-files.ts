import { stat } from 'node:fs/promises'

/** Which file stands at a path: another one of the same content counts as another. Null while there is none. */
async function identityAt(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  return found && `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`
}

/**
 * Tells whether the program was replaced since this was made, as by an update: parts of it that were not loaded yet are
 * gone then. True only once two calls in a row find the same other file, so that a half-done update is waited for.
 */
export function watchReplacement(paths: readonly string[]): () => Promise<boolean> {
  const first = Promise.all(paths.map(identityAt))
  let last: string | null = null
  return async () => {
    const own = await first
    const now = await Promise.all(paths.map(identityAt))
    const isOther = now.every((one) => one !== null) && now.some((one, at) => one !== own[at])
    const seen = isOther ? now.join(' ') : null
    const isSettled = seen !== null && seen === last
    last = seen
    return isSettled
  }
}

/** What this process runs from: its program, and the entry that it was given. */
export function ownFiles(): readonly string[] {
  const [, entry] = process.argv
  return entry?.endsWith('.js') || entry?.endsWith('.ts') ? [process.execPath, entry] : [process.execPath]
}
