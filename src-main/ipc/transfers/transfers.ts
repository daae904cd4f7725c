import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DragCache, openDragCache } from '../../artifacts/drag-cache/drag-cache.ts'
import type { StateRoot } from '../../state/root.ts'
import { readSettings } from '../../state/settings.ts'
import { NO_STORE, SECURITY_HEADERS } from '../security-headers.ts'
import { createDownloads, type Downloads } from './downloads.ts'
import { createDragLinks, type DragLinks } from './drag-links.ts'
import { type ExportCache, openExportCache } from './export-cache.ts'
import { createUploads, type Received, type Uploads } from './uploads.ts'

/** Files on their way between a page and the services. */
export interface Transfers {
  readonly uploads: Uploads
  /** Opened on first need. */
  cache(): Promise<ExportCache>
  downloads(): Promise<Downloads>
  /** Files that wait to be dragged out, and the addresses from which a browser takes them. */
  readonly drag: DragCache
  readonly dragLinks: DragLinks
  /**
   * Answers `/download/<key>` and `/upload/<key>` of a request that was found to be allowed.
   * @returns a refusal for the server to send, or null when the answer was given
   */
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<Refused | null>
  close(): Promise<void>
}

export interface Refused {
  readonly status: number
  readonly reason: string
  readonly allow?: string
}

const UPLOADED: Readonly<Record<Received, Refused | null>> = {
  kept: null,
  refused: { status: 409, reason: 'The file was not imported.' },
  unknown: { status: 404, reason: 'This address has been used, or its time is over.' },
  'wrong-length': { status: 400, reason: 'The length of the file is not the one that was announced.' },
}

/** Wires uploads, downloads and the cache of one server. The cache is swept at once. */
export function createTransfers(root: StateRoot, warn: (error: unknown) => void): Transfers {
  const uploads = createUploads()
  const opened = openExportCache(root).then((cache) => ({ cache, downloads: createDownloads(cache, warn) }))
  opened.catch(warn)
  const maxBytes = async (): Promise<number> => Number((await readSettings(root)).dragCacheMB) * 1_000_000
  const drag = openDragCache({ root, maxBytes, warn })
  const dragLinks = createDragLinks(drag)
  return {
    drag,
    dragLinks,
    uploads,
    cache: async () => (await opened).cache,
    downloads: async () => (await opened).downloads,
    async answer(request, response, path) {
      const [, kind, key = '', ...more] = path.split('/')
      if (more.length > 0 || !/^[\w-]{43}$/.test(key))
        return { status: 404, reason: 'There is no such page.' }
      if (kind === 'download') {
        if (request.method !== 'GET')
          return { status: 405, reason: 'Only GET is answered here.', allow: 'GET' }
        const isSent =
          (await (await opened).downloads.send(key, response)) || (await dragLinks.send(key, response))
        return isSent ? null : UPLOADED.unknown
      }
      if (request.method !== 'PUT') return { status: 405, reason: 'Only PUT is answered here.', allow: 'PUT' }
      return UPLOADED[await uploads.receive(key, request)] ?? done(response)
    },
    async close() {
      uploads.close()
      dragLinks.close()
      await drag.close()
      const made = await opened.catch(() => undefined)
      made?.downloads.close()
      await made?.cache.close()
    },
  }
}

function done(response: ServerResponse): null {
  response.writeHead(204, { ...SECURITY_HEADERS, ...NO_STORE }).end()
  return null
}
