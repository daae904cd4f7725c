import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'

export interface StaticFile {
  readonly body: Buffer
  readonly type: string
  /** Names that carry a hash of their content never change. */
  readonly isImmutable: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.map': 'application/json; charset=utf-8',
}

const HASHED = /^\/assets\/[^/]+-[\w-]{8,}\.\w+$/

/** The file for a URL path inside the folder, or null: unknown, a folder, or anything that leads out of it. */
export async function readStatic(folder: string, urlPath: string): Promise<StaticFile | null> {
  const relative = cleanPath(urlPath)
  if (relative === null) return null
  const type = TYPES[extname(relative)]
  if (!type) return null
  try {
    const root = await realpath(folder)
    // Resolved once more after links, so that no link in the folder leads out either.
    const file = await realpath(resolve(root, join('.', relative)))
    if (!file.startsWith(root + sep) || !(await stat(file)).isFile()) return null
    return { body: await readFile(file), type, isImmutable: HASHED.test(relative) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return null
    throw error
  }
}

/** The decoded path, or null when it has any part that a plain file name has not. */
export function cleanPath(urlPath: string): string | null {
  let path: string
  try {
    path = decodeURIComponent(urlPath)
  } catch {
    return null
  }
  if (path === '/') return '/index.html'
  if (!path.startsWith('/') || /[\\\0:%]/.test(path)) return null
  const parts = path.slice(1).split('/')
  return parts.some((part) => part === '' || part.startsWith('.')) ? null : path
}
