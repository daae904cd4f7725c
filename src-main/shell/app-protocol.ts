import type { Protocol } from 'electron'
import { APP_ORIGIN, APP_SCHEME, isOwnPage } from '../ipc/electron-sender.ts'
import { NO_STORE, SECURITY_HEADERS } from '../ipc/security-headers.ts'
import { readStatic } from '../ipc/static-files.ts'

/** The page's address. */
export const PAGE_URL = `${APP_ORIGIN}/index.html`

/** Must be told before Electron is ready. */
export const SCHEME = {
  scheme: APP_SCHEME,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
} as const

/** Serves the built page, and nothing outside its folder, under the app's own scheme. */
export function serveApp(protocol: Protocol, rendererDir: string, warn: (error: unknown) => void): void {
  protocol.handle(APP_SCHEME, (request) =>
    answer(request, rendererDir).catch((error: unknown) => {
      warn(error)
      return refusal(500)
    }),
  )
}

/** The answer to one request of the page. */
export async function answer(
  request: Pick<Request, 'method' | 'url'>,
  rendererDir: string,
): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405)
  const file = isOwnPage(request.url) ? await readStatic(rendererDir, new URL(request.url).pathname) : null
  if (!file) return refusal(404)
  return new Response(request.method === 'HEAD' ? null : new Uint8Array(file.body), {
    headers: {
      ...SECURITY_HEADERS,
      'Content-Type': file.type,
      ...(file.isImmutable ? { 'Cache-Control': 'public, max-age=31536000, immutable' } : NO_STORE),
    },
  })
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: { ...SECURITY_HEADERS, ...NO_STORE } })
}
