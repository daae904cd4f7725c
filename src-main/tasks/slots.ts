/** Hands out a fixed number of places, first come first served. */
export interface Slots {
  /** True when a place can be had at once. */
  hasFree(): boolean
  /** Resolves with the function that gives the place back; rejects with the signal's reason when aborted. */
  take(signal: AbortSignal): Promise<() => void>
}

/** Bounds how much heavy work runs at once, so that twenty freezes don't starve each other and the window. */
export function createSlots(size: number): Slots {
  let free = size
  const waiting: (() => void)[] = []

  const place = (): (() => void) => {
    let isGivenBack = false
    return () => {
      if (isGivenBack) return
      isGivenBack = true
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }

  return {
    hasFree: () => free > 0,
    async take(signal) {
      signal.throwIfAborted()
      if (free > 0) {
        free -= 1
        return place()
      }
      await new Promise<void>((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = (): void => {
          waiting.splice(waiting.indexOf(enter), 1)
          reject(signal.reason)
        }
        waiting.push(enter)
        signal.addEventListener('abort', leave, { once: true })
      })
      return place()
    },
  }
}
