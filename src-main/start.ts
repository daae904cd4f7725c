// `npm start`: builds when stale, then opens the desktop window, or the browser face where Electron can't be had.
// Run by Node directly from its source, before anything is built: it and what it imports import only node: modules.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isBuildStale, measure } from './system/stale-build.ts'

const ROOT = join(import.meta.dirname, '..')
const STALL_MS = 10_000
/** A window that ends with an error this soon was never seen. */
const EARLY_MS = 5000
const EXIT_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** The exit code of the signal that ends us. */
let ending: number | undefined

let child: ChildProcess | undefined

/** Runs a program in the project folder until it ends; its exit code, 128+n for the signals a person sends. */
function run(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  isQuiet = false,
): Promise<number> {
  return new Promise((resolve) => {
    child = spawn(file, args, { cwd: ROOT, env, stdio: isQuiet ? 'ignore' : 'inherit' })
    child.once('error', () => resolve(127))
    child.once('exit', (code, signal) => resolve(code ?? EXIT_CODES[signal ?? ''] ?? 1))
  })
}

async function build(): Promise<number> {
  process.stdout.write('Building Icebox…\n')
  const program = join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js')
  return run(process.execPath, [program, 'build', '--logLevel', 'warn'])
}

function electronFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  } catch {
    return undefined
  }
}

/** The Electron program, without ever importing `electron`: in plain Node that import starts a download. */
async function electronBinary(folder: string): Promise<string | undefined> {
  const name = (await readFile(join(folder, 'path.txt'), 'utf8').catch(() => '')).trim()
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (!override && !name) return undefined
  const file = override ? join(override, name || 'electron') : join(folder, 'dist', name)
  return (await stat(file).catch(() => undefined)) ? file : undefined
}

/** Finds Electron, or downloads it: given up when no byte arrives for ten seconds. */
async function findElectron(): Promise<string | undefined> {
  const folder = electronFolder()
  if (!folder) return undefined
  const present = await electronBinary(folder)
  if (present || process.env.ELECTRON_OVERRIDE_DIST_PATH) return present
  process.stdout.write('Fetching Electron for the desktop window…\n')
  const temp = await mkdtemp(join(tmpdir(), 'icebox-electron-'))
  let seen = -1
  let isChecking = false
  let grewAt = performance.now()
  const timer = setInterval(async () => {
    if (isChecking) return
    isChecking = true
    const bytes = (await measure(temp)).bytes + (await measure(join(folder, 'dist'))).bytes
    isChecking = false
    if (bytes > Math.max(seen, 0)) grewAt = performance.now()
    seen = bytes
    if (performance.now() - grewAt > STALL_MS) child?.kill('SIGKILL')
  }, 500)
  try {
    const code = await run(
      process.execPath,
      [join(folder, 'install.js')],
      { ...process.env, TMPDIR: temp },
      true,
    )
    return code === 0 ? await electronBinary(folder) : undefined
  } finally {
    clearInterval(timer)
    await rm(temp, { recursive: true, force: true })
  }
}

/** Opens the window and waits for its end: the exit code, or in words why it can't be had here. */
async function desktop(): Promise<number | string> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return 'There is no display for a desktop window here'
  }
  const electron = await findElectron()
  if (!electron) return 'Electron is not here and could not be downloaded'
  // Set by some editors' terminals; it would turn Electron into a plain Node.
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const startedAt = performance.now()
  const code = await run(electron, ['.'], env)
  const isRefused = code !== 0 && performance.now() - startedAt < EARLY_MS
  return isRefused ? `Electron could not start (exit code ${code})` : code
}

async function start(): Promise<number> {
  const face = process.env.ICEBOX_FACE ?? ''
  if (!['', 'browser', 'desktop'].includes(face)) {
    process.stderr.write('ICEBOX_FACE must be browser or desktop.\n')
    return 2
  }
  if (await isBuildStale(ROOT)) {
    const code = await build()
    if (code !== 0) return code
  }
  const outcome = face === 'browser' ? '' : await desktop()
  if (ending !== undefined) return ending
  if (typeof outcome === 'number') return outcome
  if (face === 'desktop') {
    process.stderr.write(`${outcome}; ICEBOX_FACE=desktop allows nothing else.\n`)
    return 1
  }
  if (outcome) process.stdout.write(`${outcome}, so Icebox opens in the browser.\n`)
  return run(process.execPath, [join(ROOT, 'out/main/cli.js'), 'serve', ...process.argv.slice(2)])
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    ending = EXIT_CODES[name]
    // The terminal has told the child as well; a program that was told only by us gets it passed on.
    if (child && child.exitCode === null && child.signalCode === null) child.kill(name)
    else process.exit(EXIT_CODES[name])
  })
}
process.exitCode = await start()
