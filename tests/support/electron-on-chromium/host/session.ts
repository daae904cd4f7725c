import { EventEmitter } from 'node:events'
import type { Session } from 'electron'
import { protocol } from './protocol.ts'
import { standIn } from './runtime.ts'
import { strict } from './strict.ts'

type RequestHandler = Parameters<Session['setPermissionRequestHandler']>[0]
type CheckHandler = Parameters<Session['setPermissionCheckHandler']>[0]
type DeviceHandler = Parameters<Session['setDevicePermissionHandler']>[0]

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
