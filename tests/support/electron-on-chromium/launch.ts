// `electron <folder>`: runs an app's entry with the stand-in in the place of the `electron` module.
import { registerHooks } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const NAMES = new Set(['electron', 'electron/main', 'electron/common'])
const STAND_IN = pathToFileURL(join(import.meta.dirname, 'electron.ts')).href
/** Of Electron 45. */
const VERSION = '45.4.1'

registerHooks({
  resolve: (specifier, context, next) =>
    NAMES.has(specifier)
      ? { url: STAND_IN, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
})

/** Takes Electron's own `-r file` away from the front of the command line. */
function readArguments(argv: readonly string[]): { preloads: string[]; folder: string; rest: string[] } {
  const rest = [...argv]
  const preloads: string[] = []
  while (rest[0] === '-r' || rest[0] === '--require') preloads.push(...rest.splice(0, 2).slice(1))
  const at = rest.findIndex((each) => !each.startsWith('-'))
  if (at === -1) throw new Error('usage: electron [-r file] folder [arguments]')
  const [folder = '.'] = rest.splice(at, 1)
  return { preloads, folder, rest }
}

async function launch(): Promise<void> {
  if (process.env.ELECTRON_RUN_AS_NODE) {
    console.error('The stand-in does not run as Node: the fuse of the release forbids it.')
    process.exit(1)
  }
  const { preloads, folder, rest } = readArguments(process.argv.slice(2))
  const root = resolve(folder)
  const program = join(import.meta.dirname, 'dist', 'electron')
  if (process.env.STANDIN_PLATFORM) {
    Object.defineProperty(process, 'platform', { value: process.env.STANDIN_PLATFORM })
  }
  process.argv = [program, folder, ...rest]
  Object.defineProperties(process, {
    execPath: { value: program },
    type: { value: 'browser' },
    defaultApp: { value: true },
    resourcesPath: { value: join(import.meta.dirname, 'dist', 'resources') },
  })
  Object.defineProperty(process.versions, 'electron', { value: VERSION, enumerable: true })
  Object.defineProperty(process.versions, 'chrome', { value: '156.0.0.0', enumerable: true })

  const { app } = await import('./host/app.ts')
  app.begin(root)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())
  for (const file of preloads) await import(pathToFileURL(resolve(file)).href)
  const { main } = (await import(pathToFileURL(join(root, 'package.json')).href, { with: { type: 'json' } }))
    .default
  // Ready comes after the entry has been evaluated, so an entry that waits for it at its top level hangs, as in Electron.
  await import(pathToFileURL(join(root, main)).href)
  setImmediate(() => app.fireReady())
  // The app lives until it quits, whatever else goes on in this process.
  setInterval(() => undefined, 2 ** 30)
}

await launch()
