import type { ServerResponse } from 'node:http'
import type { DragCache } from '../../artifacts/drag-cache/drag-cache.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { sendFile } from './downloads.ts'
import { createTickets } from './tickets.ts'

/** Addresses of prepared files for a browser's own drag: it fetches one when the file is dropped somewhere. */
export interface DragLinks {
  /** @throws BottleError `not-found` for a token that stands for no file */
  offer(token: string): { readonly url: string; readonly fileName: string; readonly bytes: number }
  /** Sends the file, which stays; false when the key is worth nothing. */
  send(key: string, response: ServerResponse): Promise<boolean>
  close(): void
}

/** A page asks when the pointer comes near; a person may hold a drag for a while. */
const LINK_MS = 600_000

export function createDragLinks(cache: Pick<DragCache, 'take' | 'dragged'>): DragLinks {
  const tickets = createTickets<{ readonly token: string }>(LINK_MS)
  return {
    offer(token) {
      const taken = cache.take(token)
      if (!taken)
        throw bottleError('not-found', 'That file is not ready any more. Point at the snapshot again.')
      const { fileName, bytes } = taken
      return { url: `/download/${tickets.issue({ token })}`, fileName, bytes }
    },
    async send(key, response) {
      const token = tickets.take(key)?.token
      const taken = token === undefined ? null : cache.take(token)
      if (!taken || !(await taken.isThere())) return false
      await cache.dragged([taken.token])
      await sendFile(taken, response)
      return true
    },
    close: () => tickets.close(),
  }
}
