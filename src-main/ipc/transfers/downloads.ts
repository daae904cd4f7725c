import { open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { NO_STORE, SECURITY_HEADERS } from '../security-headers.ts'
import type { ExportCache } from './export-cache.ts'
import { createTickets } from './tickets.ts'

/** A finished export that waits for the page that asked for it. */
export interface Prepared {
  readonly file: string
  readonly fileName: string
  readonly bytes: number
}

/** Prepared exports by the task that made them. */
export interface Downloads {
  add(taskId: string, prepared: Prepared): void
  /** A fresh address; earlier ones of the same export stop working. @throws BottleError `not-found` */
  offer(taskId: string): { readonly url: string; readonly fileName: string; readonly bytes: number }
  /** Gives the file out to whoever moves it away; null when it is not there any more. */
  peek(taskId: string): Prepared | null
  /** Forgets an export and removes its file. */
  drop(taskId: string): void
  /** Sends the file and removes it; false when the key is worth nothing. */
  send(key: string, response: ServerResponse): Promise<boolean>
  close(): void
}

/** A page fetches at once; a link that lies around must not work. */
const LINK_MS = 60_000
/** How long an export that nobody fetched stays, and how many of them. */
const KEPT_MS = 1_800_000
const MOST = 6

/** Keeps prepared exports until they are fetched, for half an hour at most. */
export function createDownloads(cache: ExportCache, warn: (error: unknown) => void): Downloads {
  const kept = new Map<string, { readonly prepared: Prepared; readonly timer: NodeJS.Timeout }>()
  const tickets = createTickets<string>(LINK_MS)
  const forget = (taskId: string): Prepared | undefined => {
    const found = kept.get(taskId)
    clearTimeout(found?.timer)
    kept.delete(taskId)
    tickets.revoke(taskId)
    return found?.prepared
  }
  const remove = (taskId: string): void => {
    const found = forget(taskId)
    if (found) cache.remove(found.file).catch(warn)
  }
  return {
    add(taskId, prepared) {
      const timer = setTimeout(() => remove(taskId), KEPT_MS).unref()
      kept.set(taskId, { prepared, timer })
      for (const oldest of kept.keys()) if (kept.size > MOST) remove(oldest)
    },
    offer(taskId) {
      const found = kept.get(taskId)?.prepared
      if (!found)
        throw bottleError('not-found', 'That export is not there any more. Export the snapshot again.')
      tickets.revoke(taskId)
      return { url: `/download/${tickets.issue(taskId)}`, fileName: found.fileName, bytes: found.bytes }
    },
    peek: (taskId) => kept.get(taskId)?.prepared ?? null,
    drop: remove,
    async send(key, response) {
      const taskId = tickets.take(key)
      const found = taskId === undefined ? undefined : forget(taskId)
      if (!found) return false
      try {
        await sendFile(found, response)
      } finally {
        await cache.remove(found.file)
      }
      return true
    },
    close() {
      tickets.close()
      for (const taskId of [...kept.keys()]) forget(taskId)
    },
  }
}

/** Answers with a file, to be saved under its name. */
export async function sendFile(prepared: Prepared, response: ServerResponse): Promise<void> {
  const file = await open(prepared.file)
  const { size } = await file.stat()
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    ...NO_STORE,
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': disposition(prepared.fileName),
    'Content-Length': String(size),
  })
  // A page that leaves in the middle is no fault of ours.
  await pipeline(file.createReadStream({ highWaterMark: 1 << 18 }), response).catch(() => undefined)
}

/** The header that makes a browser save under this name, whatever characters it has. */
export function disposition(fileName: string): string {
  const plain = fileName.replace(/[^\w.@-]/g, '_').replace(/^\.+/, '')
  const name = plain || 'snapshot.bottle'
  return `attachment; filename="${name}"; filename*=UTF-8''${encodeURIComponent(name)}`
}
