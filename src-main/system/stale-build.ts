import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const SOURCES = ['src-main', 'src-preload', 'src-renderer', 'electron.vite.config.ts', 'package-lock.json']
const OUTPUTS = ['out/main/cli.js', 'out/main/index.js', 'out/renderer/index.html']

interface Measure {
  /** Newest change in milliseconds; 0 when there is nothing. A folder's own time tells of removed files. */
  readonly newest: number
  readonly bytes: number
}

/** What lies at a path, a folder with everything below it. */
export async function measure(path: string): Promise<Measure> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return { newest: 0, bytes: 0 }
  if (!found.isDirectory()) return { newest: found.mtimeMs, bytes: found.size }
  const names = await readdir(path).catch(() => [])
  const parts = await Promise.all(names.map((name) => measure(join(path, name))))
  return {
    newest: Math.max(found.mtimeMs, ...parts.map((part) => part.newest)),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
  }
}

/** True when a source of the project folder is newer than the oldest output of its build, or there is none. */
export async function isBuildStale(root: string): Promise<boolean> {
  const built = await Promise.all(OUTPUTS.map((file) => measure(join(root, file))))
  const oldest = Math.min(...built.map((file) => file.newest))
  if (oldest === 0) return true
  const sources = await Promise.all(SOURCES.map((path) => measure(join(root, path))))
  return Math.max(...sources.map((source) => source.newest)) > oldest
}
