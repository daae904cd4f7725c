// `npm start`: builds when stale, then opens the desktop window, or the browser face where Electron can't be had.
// Run by Node directly from its source, before anything is built: it may import only node: modules.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const SOURCES = ['src-main', 'src-preload', 'src-renderer', 'electron.vite.config.ts', 'package-lock.json']
const OUTPUTS = ['out/main/cli.js', 'out/main/index.js', 'out/renderer/index.html']
const DOWNLOAD_MS = 10_000

/** The newest change below a path, in milliseconds; 0 when there is nothing. */
async function newestChange(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return 0
  if (!found.isDirectory()) return found.mtimeMs
  const names = await readdir(path)
  const times = await Promise.all(names.map((name) => newestChange(join(path, name))))
  // The folder's own time tells of files that were removed.
  return Math.max(found.mtimeMs, ...times)
}

async function isStale(): Promise<boolean> {
  const built = await Promise.all(
    OUTPUTS.map(async (file) => (await stat(join(ROOT, file)).catch(() => undefined))?.mtimeMs ?? 0),
  )
  const oldest = Math.min(...built)
  if (oldest === 0) return true
  return Math.max(...(await Promise.all(SOURCES.map((path) => newestChange(join(ROOT, path)))))) > oldest
}

let child: ChildProcess | undefined

/** Runs a program in the project folder until it ends; its exit code, 128+n for a signal. */
function run(
  file: string,
  args: readonly string[],
  options: { readonly timeout?: number; readonly isQuiet?: boolean } = {},
): Promise<number> {
  return new Promise((resolve) => {
    child = spawn(file, args, {
      cwd: ROOT,
      stdio: options.isQuiet ? 'ignore' : 'inherit',
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: 'SIGKILL' as const }),
    })
    child.once('error', () => resolve(127))
    child.once('exit', (code, signal) =>
      resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1)),
    )
  })
}

async function build(): Promise<number> {
  process.stdout.write('Building Icebox…\n')
  return run(process.execPath, [
    join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js'),
    'build',
    '--logLevel',
    'warn',
  ])
}

/** The Electron program, without ever importing `electron`: in plain Node that import starts a download. */
async function electronBinary(): Promise<string | undefined> {
  const folder = electronFolder()
  if (!folder) return undefined
  const name = await readFile(join(folder, 'path.txt'), 'utf8').catch(() => '')
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const file = override ? join(override, name || 'electron') : join(folder, 'dist', name)
  return (override || name) && existsSync(file) ? file : undefined
}

function electronFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  } catch {
    return undefined
  }
}

/** Downloads Electron when it is absent; the connection has ten seconds. */
async function findElectron(): Promise<string | undefined> {
  const present = await electronBinary()
  const folder = electronFolder()
  if (present || !folder || process.env.ELECTRON_OVERRIDE_DIST_PATH) return present
  process.stdout.write('Fetching Electron for the desktop window…\n')
  const code = await run(process.execPath, [join(folder, 'install.js')], {
    timeout: DOWNLOAD_MS,
    isQuiet: true,
  })
  return code === 0 ? electronBinary() : undefined
}

async function openDesktop(electron: string): Promise<number> {
  // Set by some editors' terminals; it would turn Electron into a plain Node.
  delete process.env.ELECTRON_RUN_AS_NODE
  return run(electron, ['.'])
}

async function start(): Promise<number> {
  const face = process.env.ICEBOX_FACE ?? ''
  if (!['', 'browser', 'desktop'].includes(face)) {
    process.stderr.write('ICEBOX_FACE must be browser or desktop.\n')
    return 2
  }
  if (await isStale()) {
    const code = await build()
    if (code !== 0) return code
  }
  const electron = face === 'browser' ? undefined : await findElectron()
  if (electron) return openDesktop(electron)
  if (face === 'desktop') {
    process.stderr.write(
      'Electron is not here and could not be downloaded; set ELECTRON_MIRROR or use ICEBOX_FACE=browser.\n',
    )
    return 1
  }
  if (face === '') {
    process.stdout.write(
      'Electron is not here and could not be downloaded, so Icebox opens in the browser.\n',
    )
  }
  return run(process.execPath, [join(ROOT, 'out/main/cli.js'), 'serve', ...process.argv.slice(2)])
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (child?.exitCode === null) child.kill(name)
    else process.exit(name === 'SIGINT' ? 130 : 143)
  })
}
process.exitCode = await start()
