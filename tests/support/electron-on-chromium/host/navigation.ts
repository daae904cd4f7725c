import type { Params } from './cdp.ts'
import { makeEvent } from './event.ts'
import { standIn } from './runtime.ts'
import type { WebFrame } from './web-frame.ts'

/** Emits one of Electron's events about a navigation; true when a listener forbade it. */
export type EmitNavigation = (name: string, frame: WebFrame, url: string, isSameDocument: boolean) => boolean

export interface NavigationParts {
  readonly send: (method: string, params: Params) => Promise<Params>
  readonly frameOf: (frameId: string) => WebFrame | undefined
  readonly emit: EmitNavigation
  /** A link to a program of the system, such as `mailto:`, that nobody forbade. */
  readonly external: (url: string) => void
}

/** What a page may ask for without Chromium asking the network. */
const INTERNAL = new Set([
  'http:',
  'https:',
  'about:',
  'blob:',
  'data:',
  'javascript:',
  'file:',
  'chrome-error:',
])

/** Holds every load of a document until the app's listeners have said whether it may go on. */
export function watchNavigation(parts: NavigationParts): (method: string, params: Params) => void {
  /** Frames whose page, not the app, asked for the next document. */
  const asked = new Set<string>()

  const mayGo = (frame: WebFrame, url: string): boolean => {
    const isForbidden = parts.emit('will-frame-navigate', frame, url, false)
    return !(frame.parent === null && parts.emit('will-navigate', frame, url, false)) && !isForbidden
  }
  const paused = (params: Params): void => {
    const { requestId, request, frameId, redirectedRequestId } = params as {
      requestId: string
      request: { url: string }
      frameId: string
      redirectedRequestId?: string
    }
    const frame = parts.frameOf(frameId)
    const url = standIn.server.fromChromium(request.url)
    const isOwn = asked.delete(frameId)
    let isAllowed = true
    if (frame && redirectedRequestId) isAllowed = !parts.emit('will-redirect', frame, url, false)
    else if (frame && isOwn) isAllowed = mayGo(frame, url)
    const answer = isAllowed
      ? parts.send('Fetch.continueRequest', { requestId })
      : parts.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
    // The page may be gone by now.
    answer.catch(() => undefined)
  }
  const requested = (params: Params): void => {
    const { frameId, url, disposition } = params as { frameId: string; url: string; disposition: string }
    const frame = parts.frameOf(frameId)
    if (!frame || disposition !== 'currentTab' || !URL.canParse(url)) return
    const scheme = new URL(url).protocol
    if (scheme === 'http:' || scheme === 'https:') return void asked.add(frameId)
    // Chromium itself refuses or runs the rest of these; a listener can't change it.
    if (INTERNAL.has(scheme)) return void mayGo(frame, url)
    if (!mayGo(frame, url)) return
    if (standIn.schemes.has(scheme.slice(0, -1))) {
      const target = standIn.server.toChromium(url)
      parts.send('Page.navigate', { url: target, frameId }).catch(() => undefined)
    } else parts.external(url)
  }
  return (method, params) => {
    if (method === 'Fetch.requestPaused') paused(params)
    else if (method === 'Page.frameRequestedNavigation') requested(params)
  }
}

/** The event that Electron gives to listeners of navigations. */
export function navigationEvent(frame: WebFrame, url: string, isSameDocument: boolean) {
  return makeEvent({ url, isSameDocument, isMainFrame: frame.parent === null, frame, initiator: frame })
}
