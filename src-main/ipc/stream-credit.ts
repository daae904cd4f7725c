/** Counts the bytes that are on the way to a page and holds the sender back when there are too many. */
export interface StreamCredit {
  /** Resolves with how many bytes may be sent now, at least one. */
  available(signal: AbortSignal): Promise<number>
  spend(bytes: number): void
  /** Bytes the page has shown. False when it claims more than it was sent. */
  refill(bytes: number): boolean
}

/** A window of so many unacknowledged bytes. One sender at a time. */
export function createStreamCredit(window: number): StreamCredit {
  let onTheWay = 0
  let wake: (() => void) | undefined
  return {
    async available(signal) {
      signal.throwIfAborted()
      if (onTheWay >= window) {
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => reject(signal.reason)
          signal.addEventListener('abort', stop, { once: true })
          wake = () => {
            signal.removeEventListener('abort', stop)
            resolve()
          }
        })
      }
      return window - onTheWay
    },
    spend(bytes) {
      onTheWay += bytes
    },
    refill(bytes) {
      if (bytes > onTheWay) return false
      onTheWay -= bytes
      if (onTheWay >= window) return true
      const go = wake
      wake = undefined
      go?.()
      return true
    },
  }
}
