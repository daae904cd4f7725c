import { createHash, randomBytes } from 'node:crypto'

/** One-time keys for something that waits to be fetched or brought. */
export interface Tickets<T> {
  /** A key that works once within its life; `onLapse` is told when nobody came in time. */
  issue(value: T, onLapse?: () => void): string
  /** What the key stands for, which uses it up; undefined for any other key. */
  take(key: string): T | undefined
  /** Makes the keys of a value worthless. */
  revoke(value: T): void
  close(): void
}

/** Keys are 256 bit, kept as digests, and live for so many milliseconds. */
export function createTickets<T>(lifeMs: number): Tickets<T> {
  const waiting = new Map<string, { readonly value: T; readonly timer: NodeJS.Timeout }>()
  const drop = (id: string): T | undefined => {
    const found = waiting.get(id)
    clearTimeout(found?.timer)
    waiting.delete(id)
    return found?.value
  }
  return {
    issue(value, onLapse) {
      const key = randomBytes(32).toString('base64url')
      const id = digest(key)
      const timer = setTimeout(() => {
        waiting.delete(id)
        onLapse?.()
      }, lifeMs)
      waiting.set(id, { value, timer: timer.unref() })
      return key
    },
    // Found by its digest, so that the time of the search tells nothing of the key.
    take: (key) => drop(digest(key)),
    revoke(value) {
      for (const [id, found] of waiting) if (found.value === value) drop(id)
    },
    close() {
      for (const id of [...waiting.keys()]) drop(id)
    },
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
