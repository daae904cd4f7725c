import { randomUUID } from 'node:crypto'
import { type Chromium, profileDir, startChromium, sweepProfiles } from './chromium.ts'
import { createSchemeServer, type SchemeServer } from './scheme-server.ts'

/** What the parts of the stand-in share: one per process, as Electron is. */
export interface StandIn {
  readonly schemes: Set<string>
  readonly server: SchemeServer
  isReady: boolean
  /** A name that no page can guess, for what crosses between its worlds. */
  readonly secret: string
  readonly chromium: () => Promise<Chromium>
  readonly startedChromium: () => Promise<Chromium> | undefined
  userData: () => string
}

const schemes = new Set<string>()
let starting: Promise<Chromium> | undefined

export const standIn: StandIn = {
  schemes,
  server: createSchemeServer(schemes),
  isReady: false,
  secret: `standin-${randomUUID()}`,
  userData: () => {
    throw new Error('no app yet')
  },
  startedChromium: () => starting,
  chromium() {
    starting ??= (async () => {
      const userData = standIn.userData()
      await sweepProfiles(userData)
      const [chromium] = await Promise.all([
        startChromium(profileDir(userData), () => {
          console.error('Chromium ended by itself')
          process.exit(70)
        }),
        standIn.server.listen(),
      ])
      return chromium
    })()
    return starting
  },
}

/** @throws Error before the app is ready, with Electron's words */
export function mustBeReady(what: string): void {
  if (!standIn.isReady) throw new Error(`Cannot create ${what} before app is ready`)
}
