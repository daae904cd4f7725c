/** The patches on their way to one page. */
export interface PatchFeed {
  push(frame: string): void
  close(): void
}

const RETRY_MS = 100

/**
 * Sends each patch at once while the page keeps up. A page that lags gets the newest patch only, once it has
 * caught up: the numbers in between are missing, so it reads a new snapshot. Memory stays bounded either way.
 */
export function createPatchFeed(
  socket: { readonly backlog: () => number; readonly send: (frame: string) => void },
  maxBacklog: number,
): PatchFeed {
  let held: string | undefined
  let timer: NodeJS.Timeout | undefined
  const retry = (): void => {
    timer = undefined
    if (held === undefined) return
    if (socket.backlog() >= maxBacklog) {
      timer = setTimeout(retry, RETRY_MS)
      return
    }
    const frame = held
    held = undefined
    socket.send(frame)
  }
  return {
    push(frame) {
      if (held === undefined && socket.backlog() < maxBacklog) {
        socket.send(frame)
        return
      }
      held = frame
      timer ??= setTimeout(retry, RETRY_MS)
    },
    close: () => clearTimeout(timer),
  }
}
