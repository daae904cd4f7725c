import type { CustomScheme } from 'electron'
import { standIn } from './runtime.ts'
import { strict } from './strict.ts'

let hasRegistered = false

export const protocol = strict('protocol', {
  registerSchemesAsPrivileged(schemes: readonly CustomScheme[]): void {
    if (standIn.isReady) {
      throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    }
    if (hasRegistered)
      throw new Error('protocol.registerSchemesAsPrivileged was called before; the last call wins')
    hasRegistered = true
    for (const { scheme, privileges } of schemes) {
      if (!privileges?.standard || !privileges.secure || !privileges.supportFetchAPI) {
        throw new Error(
          `the stand-in loads only schemes that are standard, secure and fetchable, not ${scheme}`,
        )
      }
      if (privileges.bypassCSP) throw new Error(`the stand-in bypasses no CSP, not for ${scheme} either`)
      standIn.schemes.add(scheme)
    }
  },
  handle(scheme: string, handler: (request: Request) => Response | Promise<Response>): void {
    if (!standIn.isReady) throw new Error('protocol.handle can only be called after app is ready')
    standIn.server.handle(scheme, handler)
  },
  unhandle(scheme: string): void {
    standIn.server.unhandle(scheme)
  },
  isProtocolHandled: (scheme: string): boolean => standIn.server.isHandled(scheme),
})
