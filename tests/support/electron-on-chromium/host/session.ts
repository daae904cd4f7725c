import { EventEmitter } from 'node:events'
import type { PermissionCheckHandlerHandlerDetails, PermissionRequest, Session } from 'electron'
import { protocol } from './protocol.ts'
import { standIn } from './runtime.ts'
import { strict } from './strict.ts'

type RequestHandler = Parameters<Session['setPermissionRequestHandler']>[0]
type CheckHandler = Parameters<Session['setPermissionCheckHandler']>[0]
type DeviceHandler = Parameters<Session['setDevicePermissionHandler']>[0]

/** Electron's names of permissions, where Chromium's differ. */
const CHROMIUM_NAMES: Readonly<Record<string, readonly string[]>> = {
  'clipboard-read': ['clipboard-read'],
  'clipboard-sanitized-write': ['clipboard-write'],
  media: ['camera', 'microphone'],
  pointerLock: [],
  fullscreen: [],
}

class SessionStandIn extends EventEmitter {
  request: RequestHandler = null
  check: CheckHandler = null
  device: DeviceHandler = null
  readonly protocol = protocol

  setPermissionRequestHandler(handler: RequestHandler): void {
    this.request = handler
  }

  setPermissionCheckHandler(handler: CheckHandler): void {
    this.check = handler
  }

  setDevicePermissionHandler(handler: DeviceHandler): void {
    this.device = handler
  }

  isPersistent(): boolean {
    return true
  }

  getStoragePath(): string {
    return standIn.userData()
  }

  getUserAgent(): string {
    return 'Chromium'
  }

  setSpellCheckerEnabled(): void {}

  clearCache(): Promise<void> {
    return Promise.resolve()
  }
}

export const defaultSession = strict('session.defaultSession', new SessionStandIn())

export const session = strict('session', {
  defaultSession,
  fromPartition(): never {
    throw new Error('the stand-in has one session')
  },
})

/** Whether the page may, asked of the app's handlers. Without a handler Electron grants everything. */
export function askPermission(
  contents: Electron.WebContents,
  permission: string,
  isCheck: boolean,
  frame: { readonly url: string; readonly origin: string; readonly isMainFrame: boolean },
): Promise<boolean> {
  const { check, request } = defaultSession
  if (isCheck) {
    const details = {
      isMainFrame: frame.isMainFrame,
      requestingUrl: frame.url,
    } as PermissionCheckHandlerHandlerDetails
    return Promise.resolve(!check || check(contents, permission as never, frame.origin, details))
  }
  if (!request) return Promise.resolve(true)
  return new Promise((resolve) => {
    const details = { isMainFrame: frame.isMainFrame, requestingUrl: frame.url } as PermissionRequest
    request(contents, permission as never, (isGranted) => resolve(isGranted === true), details)
  })
}

/** Gives Chromium the answer, so that its own refusal or grant follows. */
export async function applyPermission(permission: string, origin: string, isGranted: boolean): Promise<void> {
  const { cdp } = await standIn.chromium()
  for (const name of CHROMIUM_NAMES[permission] ?? [permission]) {
    await cdp
      .send('Browser.setPermission', {
        permission: { name, ...(name === 'clipboard-write' ? { allowWithoutSanitization: false } : {}) },
        setting: isGranted ? 'granted' : 'denied',
        origin,
      })
      .catch(() => undefined)
  }
}
