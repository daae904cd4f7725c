import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright'
import { processesUnder } from '../leftovers.ts'
import type { DriverRequest } from './driver.ts'
import type { StandInRequest } from './stand-in-control.ts'

/** How the parts of a test reach an app, whichever Electron runs it. */
export interface RunningApp {
  readonly isStandIn: boolean
  readonly pid: number
  ask(request: DriverRequest): Promise<unknown>
  /** The pages of open windows. */
  pages(): Promise<readonly Page[]>
  /** Told before files are dropped onto a page. */
  willDrop(paths: readonly string[]): Promise<void>
  setDark(isDark: boolean): Promise<void>
  /** A further process of the same app. */
  second(args: readonly string[]): Promise<Ended>
  /** Null: ended by a signal. */
  readonly exited: Promise<number | null>
  output(): string
  kill(signal: NodeJS.Signals): void
  /** Lets go of what the test holds; the app has ended before. */
  release(): Promise<void>
}

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface AppPlace {
  /** Folder with the app's package.json. */
  readonly root: string
  /** The app's user data, removed afterwards. */
  readonly userData: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
}

const STAND_IN = join(import.meta.dirname, '../electron-on-chromium')
const CONTROL = join(import.meta.dirname, 'stand-in-control.ts')

/** Starts the app on the stand-in, in a process of its own. */
export async function startOnStandIn(place: AppPlace): Promise<RunningApp> {
  const own = [place.root, `--user-data-dir=${place.userData}`]
  const child = fork(join(STAND_IN, 'launch.ts'), ['-r', CONTROL, ...own, ...place.args], {
    cwd: place.cwd,
    env: place.env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk))
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ask = asker(child, () => Buffer.concat(said).toString())
  let browser: Promise<Browser> | undefined
  const attach = async (): Promise<Browser> =>
    chromium.connectOverCDP(`http://127.0.0.1:${await ask({ do: 'devtools-port' })}`)
  return {
    isStandIn: true,
    pid: child.pid ?? 0,
    ask,
    exited,
    output: () => Buffer.concat(said).toString(),
    async pages() {
      browser ??= attach()
      const contexts = (await browser).contexts()
      return contexts.flatMap((context) => context.pages()).filter((page) => page.url() !== 'about:blank')
    },
    async willDrop(paths) {
      await ask({ do: 'know-files', paths: await fileKeys(paths) })
    },
    setDark: async (isDark) => void (await ask({ do: 'dark', isDark })),
    second: (args) => runToEnd(join(STAND_IN, 'dist/electron'), [...own, ...args], place),
    kill: (signal) => child.kill(signal),
    async release() {
      await browser?.then((each) => each.close()).catch(() => undefined)
      await removeProfiles(place.userData)
    },
  }
}

/** Sends requests over the child's channel; all that are open fail when the child ends. */
function asker(child: ChildProcess, output: () => string): (request: StandInRequest) => Promise<unknown> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  let hasEnded = false
  child.on('message', (answer: { id: number; value?: unknown; error?: string }) => {
    const waiter = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.error === undefined) waiter?.resolve(answer.value)
    else waiter?.reject(new Error(answer.error))
  })
  child.once('exit', (code) => {
    hasEnded = true
    for (const { reject } of waiting.values()) reject(new Error(`the app ended with ${code}\n${output()}`))
  })
  return (request) => {
    if (hasEnded) return Promise.reject(new Error(`the app has ended\n${output()}`))
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      child.send({ id, request })
    })
  }
}

/** As the page's preload tells files apart: by what a `File` says of itself. */
async function fileKeys(paths: readonly string[]): Promise<Record<string, string>> {
  const keys: Record<string, string> = {}
  for (const path of paths) {
    const { size, mtimeNs } = await stat(path, { bigint: true })
    // Chromium may round the time of a file either way.
    for (const time of new Set([mtimeNs / 1_000_000n, (mtimeNs + 500_000n) / 1_000_000n])) {
      const key = `${basename(path)}|${size}|${time}`
      if (keys[key] !== undefined) throw new Error(`two dropped files can't be told apart: ${path}`)
      keys[key] = path
    }
  }
  return keys
}

function runToEnd(file: string, args: readonly string[], place: AppPlace): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: place.cwd,
      env: place.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, ...said }))
  })
}

/** A browser whose app was killed ends by itself, and leaves its profile. */
async function removeProfiles(userData: string): Promise<void> {
  await mkdir(userData, { recursive: true })
  for (const name of await readdir(userData)) {
    if (!name.startsWith('standin-')) continue
    const profile = join(userData, name)
    const deadline = Date.now() + 10_000
    while ((await processesUnder(profile)).length > 0) {
      if (Date.now() > deadline) throw new Error(`still running in ${profile}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}
