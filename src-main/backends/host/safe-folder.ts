import { randomBytes } from 'node:crypto'
import { constants, type Dirent, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, opendir, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileObstacle } from '../agent-access.ts'
import { notThrough } from '../local/agent-paths.ts'

const { O_DIRECTORY, O_EXCL, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const IS_LINUX = process.platform === 'linux'
/** macOS: no link anywhere on the path is followed. */
const O_NOFOLLOW_ANY = process.platform === 'darwin' ? 0x2000_0000 : 0
/** Where an agent's links and rights make no error of a look; whoever replaces a file asks `kind` first. */
const NOT_THERE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES'])

/**
 * A folder of a bottle, held open. The agent may move folders and put links in their place at any moment; what is
 * done through this handle happens in the folder that was opened and nowhere else.
 */
export interface SafeFolder {
  /** Opens a plain file; null when there is none of that name, or something else. */
  openFile(name: string): Promise<{ readonly file: FileHandle; readonly stats: Stats } | null>
  openFolder(name: string): Promise<SafeFolder | null>
  /** Read as they are asked for, since an agent can make any number. */
  entries(): AsyncIterable<Dirent>
  look(name: string): Promise<Stats | null>
  /** What has that name; null only when nothing has. */
  kind(name: string): Promise<'file' | 'folder' | FileObstacle | null>
  makeFolder(name: string): Promise<void>
  /** Puts a whole file in place at once, whatever lies there but a folder. */
  replace(name: string, content: Uint8Array, mode: number): Promise<void>
  remove(name: string): Promise<void>
  close(): Promise<void>
}

/** Opens a folder of Icebox's own, which the agent can't replace; null when it is missing. */
export async function openBase(path: string): Promise<SafeFolder | null> {
  const real = await realpath(path).catch(() => null)
  return real === null ? null : openAt(real, real)
}

async function openAt(path: string, name: string): Promise<SafeFolder | null> {
  const handle = await attempt(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOFOLLOW_ANY))
  if (!handle) return null
  // Through the open folder itself, so that no name on the way to it is looked up again.
  return folderOn(handle, IS_LINUX ? `/proc/self/fd/${handle.fd}` : name)
}

function folderOn(handle: FileHandle, base: string): SafeFolder {
  return {
    async openFile(name) {
      const file = await attempt(open(join(base, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOFOLLOW_ANY))
      if (!file) return null
      const stats = await file.stat()
      if (stats.isFile()) return { file, stats }
      await file.close()
      return null
    },
    openFolder: (name) => openAt(join(base, name), join(base, name)),
    async *entries() {
      const found = await attempt(opendir(base, { bufferSize: 256 }))
      if (found) yield* found
    },
    look: (name) => attempt(lstat(join(base, name))),
    async kind(name) {
      try {
        const stats = await lstat(join(base, name))
        if (stats.isSymbolicLink()) return 'link'
        if (stats.isFile()) return 'file'
        return stats.isDirectory() ? 'folder' : 'other'
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : 'unreadable'
      }
    },
    async makeFolder(name) {
      await mkdir(join(base, name), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
    },
    async replace(name, content, mode) {
      const temp = join(base, `.icebox-${randomBytes(6).toString('hex')}`)
      const file = await open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOFOLLOW_ANY, 0o600)
      try {
        try {
          await file.writeFile(content)
          await file.chmod(mode)
        } finally {
          await file.close()
        }
        await rename(temp, join(base, name))
      } catch (error) {
        await rm(temp, { force: true })
        throw error
      }
    },
    remove: (name) => rm(join(base, name), { force: true }),
    close: () => handle.close(),
  }
}

/** Null where there is nothing of the kind; everything else is an error. */
async function attempt<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (NOT_THERE.has(error.code)) return null
    throw error
  })
}

/** Walks down from a base; null when a folder is missing or is a link. Every folder on the way is closed again. */
export async function walkDown(base: string, folders: readonly string[]): Promise<SafeFolder | null> {
  let at = await openBase(base)
  for (const name of folders) {
    if (!at) return null
    const next: SafeFolder | null = await at.openFolder(name)
    await at.close()
    at = next
  }
  return at
}

/** The same, making what is missing. @throws BottleError `permission` where a link or a file is in the way */
export async function makeDown(base: string, folders: readonly string[]): Promise<SafeFolder | null> {
  let at = await openBase(base)
  for (const name of folders) {
    if (!at) return null
    try {
      await at.makeFolder(name)
      const next: SafeFolder | null = await at.openFolder(name)
      if (!next) {
        const found = await at.look(name)
        throw notThrough(folders.join('/'), found?.isSymbolicLink() ? 'link' : 'other')
      }
      await at.close()
      at = next
    } catch (error) {
      await at.close().catch(() => undefined)
      throw error
    }
  }
  return at
}
