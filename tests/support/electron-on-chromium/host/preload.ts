import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import { preloadWorldSource, wrapPreload } from '../page/injected.ts'
import { standIn } from './runtime.ts'

/** The functions that join the preload's world and main. */
export const BINDING = '__standinToMain'
export const RECEIVER = '__standinFromMain'

/**
 * What runs first in the preload's world. A preload that can't be read or compiled is told to `failed`, and the page
 * goes on without it, as in Electron.
 */
export function preloadSource(path: string | undefined, failed: (message: string) => void): string {
  const source = readPreload(path, failed)
  const { platform, arch, versions } = process
  const shown = {
    type: 'renderer',
    sandboxed: true,
    contextIsolated: true,
    platform,
    arch,
    versions: { electron: versions.electron, chrome: versions.chrome },
    argv: [],
    env: {},
  }
  const config = { binding: BINDING, receiver: RECEIVER, hasPreload: source !== null, process: shown }
  return preloadWorldSource(standIn.secret, config, source)
}

function readPreload(path: string | undefined, failed: (message: string) => void): string | null {
  if (path === undefined) return null
  try {
    const source = readFileSync(path, 'utf8')
    // Text that does not compile would take the whole injected script with it.
    new Script(`(${wrapPreload(source)})`)
    return source
  } catch (error) {
    failed(String(error))
    return null
  }
}
