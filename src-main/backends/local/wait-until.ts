import { type FSWatcher, watch } from 'node:fs'

/**
 * Asks `check` at once, after every change in the folders and every `pollMs`, until it answers something.
 * The poll finds what no file tells, such as a killed process, and carries on where watching is impossible.
 */
export async function waitUntil<T>(
  folders: readonly string[],
  pollMs: number,
  signal: AbortSignal,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const bell = createBell(folders, pollMs, signal)
  try {
    for (;;) {
      signal.throwIfAborted()
      const ring = bell.next()
      const answer = await check()
      if (answer !== undefined) return answer
      await ring
    }
  } finally {
    bell.close()
  }
}

interface Bell {
  /** Resolves at the next change, tick or abort after this call. */
  next(): Promise<void>
  close(): void
}

function createBell(folders: readonly string[], pollMs: number, signal: AbortSignal): Bell {
  let ring: () => void = () => undefined
  const onAny = (): void => ring()
  const watchers = folders.flatMap((folder) => openWatcher(folder, onAny))
  const timer = setInterval(onAny, pollMs)
  signal.addEventListener('abort', onAny)
  return {
    next() {
      return new Promise((resolve) => {
        ring = resolve
      })
    },
    close() {
      clearInterval(timer)
      signal.removeEventListener('abort', onAny)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Watches one folder; none when it is missing or watches are used up, since a poll goes on anyway. */
export function openWatcher(folder: string, onChange: (name: string | null) => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, (_event, name) => onChange(name))
    watcher.on('error', () => watcher.close())
    return [watcher]
  } catch {
    return []
  }
}
