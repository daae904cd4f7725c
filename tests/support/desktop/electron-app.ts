import { spawn } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { _electron } from 'playwright'
import type { DriverRequest } from './driver.ts'
import { recorderScript } from './recorder-script.ts'
import type { AppPlace, Ended, RunningApp } from './stand-in-app.ts'

/** Electron's program, or undefined where its binary is not. Never imports `electron`: that starts a download. */
export async function electronBinary(): Promise<string | undefined> {
  const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const name = (await readFile(join(folder, 'path.txt'), 'utf8').catch(() => '')).trim()
  if (!name) return undefined
  const file = join(folder, 'dist', name)
  return (await stat(file).catch(() => undefined)) ? file : undefined
}

/** Starts the app on Electron itself, through Playwright. */
export async function startOnElectron(binary: string, place: AppPlace): Promise<RunningApp> {
  const recorder = join(dirname(place.userData), 'recorder.cjs')
  await writeFile(recorder, await recorderScript())
  const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const own = [...sandbox, `--user-data-dir=${place.userData}`]
  const { ELECTRON_RUN_AS_NODE: _, ...env } = place.env
  const app = await _electron.launch({
    executablePath: binary,
    args: ['-r', recorder, ...own, place.root, ...place.args],
    cwd: place.cwd,
    env: env as Record<string, string>,
  })
  const child = app.process()
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ask = (request: DriverRequest): Promise<unknown> =>
    app.evaluate(
      (_electron, wanted) =>
        (globalThis as unknown as { __driver(request: unknown): Promise<unknown> }).__driver(wanted),
      request as unknown as Record<string, unknown>,
    )
  return {
    isStandIn: false,
    pid: child.pid ?? 0,
    ask,
    exited,
    output: () => said,
    pages: async () => app.windows().filter((page) => page.url() !== 'about:blank'),
    // Electron knows the paths of dropped files by itself.
    willDrop: () => Promise.resolve(),
    setDark: async (isDark) => {
      await app.evaluate(({ nativeTheme }, wanted) => {
        nativeTheme.themeSource = wanted ? 'dark' : 'light'
      }, isDark)
    },
    second: (args) => runToEnd(binary, [...own, place.root, ...args], { ...place, env }),
    kill: (signal) => void child.kill(signal),
    release: () => Promise.resolve(),
  }
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
