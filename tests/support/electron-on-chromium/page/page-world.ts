import type { BridgeSide } from './bridge.ts'

/** Runs first in the page's own world. Self-contained, since the page gets it as source. */
export function runPageWorld(bridge: BridgeSide): void {
  const freeze = (value: unknown): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
    if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return
    Object.freeze(value)
    for (const item of Object.values(value)) freeze(item)
  }
  let lastAsk = 0
  const asked = new Map<number, (isGranted: boolean) => void>()
  bridge.onMessage((op, tree) => {
    if (op === 'expose') {
      const { key, api } = tree as { key: string; api: unknown }
      if (Object.hasOwn(window, key)) return 'taken'
      const value = bridge.unpack(api)
      freeze(value)
      Object.defineProperty(window, key, { value, enumerable: true })
      return 'exposed'
    }
    if (op === 'answer') {
      const { id, isGranted } = tree as { id: number; isGranted: boolean }
      asked.get(id)?.(isGranted)
      asked.delete(id)
    }
    return undefined
  })

  // Chromium knows one fixed answer per permission; Electron asks its handler each time. So ask it first.
  const ask = (permission: string, isCheck = false): Promise<boolean> =>
    new Promise((resolve) => {
      lastAsk += 1
      asked.set(lastAsk, resolve)
      bridge.send('permission', { id: lastAsk, permission, isCheck })
    })
  type Method = (...args: unknown[]) => unknown
  const guard = (
    owner: object | undefined,
    method: string,
    permissionOf: (args: unknown[]) => string,
  ): void => {
    const methods = owner as Record<string, Method> | undefined
    const original = methods?.[method]
    if (!methods || !original) return
    const guarded = function (this: unknown, ...args: unknown[]): unknown {
      return ask(permissionOf(args)).then(() => original.apply(this, args))
    }
    Object.defineProperty(methods, method, { value: guarded, writable: true, configurable: true })
  }
  const proto = (name: string): object | undefined =>
    (window as unknown as Record<string, { prototype: object } | undefined>)[name]?.prototype
  guard(proto('Geolocation'), 'getCurrentPosition', () => 'geolocation')
  guard(proto('Geolocation'), 'watchPosition', () => 'geolocation')
  guard(proto('Clipboard'), 'readText', () => 'clipboard-read')
  guard(proto('Clipboard'), 'read', () => 'clipboard-read')
  guard(proto('Clipboard'), 'writeText', () => 'clipboard-sanitized-write')
  guard(proto('Clipboard'), 'write', () => 'clipboard-sanitized-write')
  guard(proto('MediaDevices'), 'getUserMedia', () => 'media')
  guard(proto('MediaDevices'), 'getDisplayMedia', () => 'display-capture')
  guard(proto('Navigator'), 'requestMIDIAccess', () => 'midi')
  guard(proto('Element'), 'requestFullscreen', () => 'fullscreen')
  guard(proto('Element'), 'requestPointerLock', () => 'pointerLock')
  guard(window.Notification, 'requestPermission', () => 'notifications')
  // Absent on pages without a secure origin.
  if ('Permissions' in window) {
    const query = Permissions.prototype.query
    Permissions.prototype.query = async function (descriptor) {
      const names: Record<string, string> = { 'clipboard-write': 'clipboard-sanitized-write' }
      const name = String(descriptor.name)
      await ask(names[name] ?? name, true)
      return query.call(this, descriptor)
    }
  }

  const open = window.open
  // Electron asks the window-open handler before it answers; here that takes a moment, so the page never gets a
  // handle to a new window. That is what a denied one sees.
  window.open = (url?: string | URL, target?: string, features?: string): Window | null => {
    if (target === '_self' || target === '_top' || target === '_parent') {
      return open.call(window, url, target, features)
    }
    const address = new URL(String(url ?? 'about:blank'), document.baseURI).href
    bridge.send('open', { url: address, frameName: target ?? '', features: features ?? '' })
    return null
  }
}
