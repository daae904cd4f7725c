import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { access, constants, mkdir, readdir, readFile, rm, watch } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type Cdp, connectCdp } from './cdp.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--no-startup-window',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-service-autorun',
  '--remote-debugging-pipe',
  '--remote-debugging-port=0',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--disable-breakpad',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  // Frames of other sites stay in the page's process, where their messages are seen to come from.
  '--disable-site-isolation-trials',
  // The omnibox's two are pages of the browser's own for every window, dearer than the app's.
  '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,IsolateOrigins,site-per-process,Translate,MediaRouter,OptimizationHints,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
  '--password-store=basic',
  '--use-mock-keychain',
  '--hide-scrollbars',
  '--mute-audio',
  // Nothing leaves the machine, whatever a page asks for.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
]
const END_MS = 5000

export interface Chromium {
  readonly cdp: Cdp
  readonly pid: number
  /** Where other programs attach with the DevTools protocol. */
  readonly port: number
  /** Ends the browser and removes its profile. */
  close(): Promise<void>
}

/** Chromium as the machine has it: `ICEBOX_TEST_CHROMIUM`, or from the PATH. */
async function findChromium(): Promise<string> {
  const given = process.env.ICEBOX_TEST_CHROMIUM
  if (given) return given
  for (const name of NAMES) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, name)
      const isThere = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (folder && isThere) return file
    }
  }
  throw new Error('Chromium is not installed')
}

async function debuggingPort(profile: string, child: ChildProcess): Promise<number> {
  const file = join(profile, 'DevToolsActivePort')
  const stop = new AbortController()
  child.once('exit', () => stop.abort(new Error('Chromium ended while it started')))
  const read = async (): Promise<number> =>
    Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0])
  // The watch is on before the first look, so that the file can't come unseen in between.
  const changes = watch(profile, { signal: stop.signal })[Symbol.asyncIterator]()
  for (let change = changes.next(); ; change = changes.next()) {
    const port = await read()
    if (port > 0) {
      change.catch(() => undefined)
      stop.abort()
      return port
    }
    await change
  }
}

/** Starts a browser of its own profile; `lost` is called when it ends without having been asked to. */
export async function startChromium(profile: string, lost: () => void): Promise<Chromium> {
  await mkdir(profile, { recursive: true, mode: 0o700 })
  const child = spawn(await findChromium(), [...FLAGS, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    // Or it leaves folders beside the person's own.
    env: { ...process.env, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  })
  let isEnding = false
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  void ended.then(() => isEnding || lost())
  const removeNow = (): void => rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
  process.once('exit', () => {
    child.kill('SIGKILL')
    removeNow()
  })
  const [, , , input, output] = child.stdio
  const cdp = connectCdp(input as Writable, output as Readable)
  const port = await debuggingPort(profile, child)
  return {
    cdp,
    port,
    pid: child.pid ?? 0,
    async close() {
      isEnding = true
      cdp.send('Browser.close').catch(() => undefined)
      const killer = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await ended
      clearTimeout(killer)
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    },
  }
}

const PROFILE = /^standin-chromium-(\d+)$/

/** Where this process keeps its browser's profile. */
export function profileDir(userData: string): string {
  return join(userData, `standin-chromium-${process.pid}`)
}

/** Removes profiles that killed processes left. */
export async function sweepProfiles(userData: string): Promise<void> {
  for (const name of await readdir(userData).catch(() => [])) {
    const pid = Number(PROFILE.exec(name)?.[1])
    if (!pid || pid === process.pid || isAlive(pid)) continue
    await rm(join(userData, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

/** @param pid of a process that may be gone */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
