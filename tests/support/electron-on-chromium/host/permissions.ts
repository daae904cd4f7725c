import type { PermissionCheckHandlerHandlerDetails, PermissionRequest, WebContents } from 'electron'
import { standIn } from './runtime.ts'
import { defaultSession } from './session.ts'
import type { WebFrame } from './web-frame.ts'

/** Electron's names of permissions, where Chromium's differ. */
const CHROMIUM_NAMES: Readonly<Record<string, readonly string[]>> = {
  'clipboard-sanitized-write': ['clipboard-write'],
  media: ['camera', 'microphone'],
  pointerLock: [],
  fullscreen: [],
}
/** What a page can look up without asking anybody. */
const LOOKED_UP = [
  'notifications',
  'geolocation',
  'clipboard-read',
  'clipboard-sanitized-write',
  'media',
  'midi',
]

/** Asks the app's handler for a request; without a handler Electron grants everything. */
export function requestPermission(
  contents: object,
  frame: WebFrame,
  permission: string,
  more: object = {},
): Promise<boolean> {
  const { request } = defaultSession
  if (!request) return Promise.resolve(true)
  const details = {
    isMainFrame: frame.parent === null,
    requestingUrl: frame.url,
    ...more,
  } as PermissionRequest
  return new Promise((resolve) => {
    request(contents as WebContents, permission as never, (isGranted) => resolve(isGranted === true), details)
  })
}

/** Asks the app's handler for a look; it answers at once. */
function checkPermission(
  contents: object,
  asker: { readonly url: string; readonly origin: string; readonly isMainFrame: boolean },
  permission: string,
): boolean {
  const { check } = defaultSession
  const { isMainFrame, url, origin } = asker
  const details = { isMainFrame, requestingUrl: url } as PermissionCheckHandlerHandlerDetails
  return !check || check(contents as WebContents, permission as never, origin, details) === true
}

/** Gives Chromium an answer for an origin, so that its own grant or refusal follows. */
async function applyPermission(permission: string, origin: string, isGranted: boolean): Promise<void> {
  if (origin === 'null') return
  const { cdp } = await standIn.chromium()
  const setting = isGranted ? 'granted' : 'denied'
  for (const name of CHROMIUM_NAMES[permission] ?? [permission]) {
    // A permission that Chromium does not know stays what it is: refused where nobody can be asked.
    await cdp.send('Browser.setPermission', { permission: { name }, setting, origin }).catch(() => undefined)
  }
}

/** Tells Chromium what the check handler says, before a document of this address can look. */
export async function applyChecks(contents: object, url: string): Promise<void> {
  const loaded = standIn.server.toChromium(url)
  if (!URL.canParse(loaded)) return
  const { origin } = new URL(loaded)
  const { protocol, host } = new URL(url)
  const asker = { url, origin: `${protocol}//${host}`, isMainFrame: true }
  await Promise.all(
    LOOKED_UP.map((permission) =>
      applyPermission(permission, origin, checkPermission(contents, asker, permission)),
    ),
  )
}

/** Decides what a page asked for or looked up, and lets Chromium act on it. */
export async function decidePermission(
  contents: object,
  frame: WebFrame,
  permission: string,
  isCheck: boolean,
): Promise<boolean> {
  const asker = { url: frame.url, origin: frame.origin, isMainFrame: frame.parent === null }
  const isGranted = isCheck
    ? checkPermission(contents, asker, permission)
    : await requestPermission(contents, frame, permission)
  await applyPermission(permission, new URL(frame.loaded).origin, isGranted)
  return isGranted
}
