import { constants } from 'node:fs'
import { copyFile, lstat, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BottleError, bottleError, isBottleError } from '../../system/bottle-error.ts'
import { runCommand } from '../../system/run-command.ts'

/** A copy may take hours on a slow disk, but not for ever. */
const COPY_MS = 12 * 3_600_000
const DELETE_MS = 3_600_000
const SYNC_MS = 600_000

const plain = (): Record<string, string> => ({ PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' })

/**
 * Copies folders with everything that a file system knows of them (links, holes, modes, times, odd names) into an
 * existing folder; shares blocks where the file system can, never hard links with the source. A source that ends in
 * `/.` gives its content.
 * @throws BottleError `disk-full`, `permission`, `cancelled`, `engine-failed`; the target may then be half filled
 */
export async function cloneTrees(
  sources: readonly string[],
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const how = process.platform === 'darwin' ? ['-cRp'] : ['-a', '--reflink=auto', '--']
  try {
    await runCommand('cp', [...how, ...sources, `${target}/`], { env: plain(), timeout: COPY_MS, signal })
  } catch (thrown) {
    const detail = isBottleError(thrown) ? (thrown.detail ?? '') : ''
    if (/No space left|quota exceeded/i.test(detail)) throw diskFull(null, await freeBytes(target), thrown)
    if (/Permission denied|Operation not permitted/i.test(detail)) {
      throw bottleError('permission', 'Some files could not be read, so nothing was copied.', {
        detail,
        cause: thrown,
      })
    }
    throw thrown
  }
}

/** The one sentence about a full disk, with the bytes that are needed, if known, and those that are free. */
export function diskFull(needed: number | null, free: number, cause?: unknown): BottleError {
  const want = needed === null ? '' : ` ${mb(needed)} are needed,`
  return bottleError(
    'disk-full',
    `The disk is full:${want} ${mb(free)} are free. Free some space and try again.`,
    {
      cause,
    },
  )
}

const mb = (bytes: number): string => `${Math.ceil(bytes / 1_000_000)} MB`

/** What this user can still write on the file system of a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const found = await statfs(folder)
  return found.bavail * found.bsize
}

/**
 * Refuses a copy that would not fit, before it fills the disk.
 * @throws BottleError `disk-full`
 */
export async function requireSpace(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder)
  if (needed > free) throw diskFull(needed, free)
}

const sharing = new Map<string, Promise<boolean>>()

/** True when files in that folder can share blocks with their copies; tried once per folder. */
export function canShareBlocks(folder: string): Promise<boolean> {
  const known = sharing.get(folder) ?? trySharing(folder)
  sharing.set(folder, known)
  return known
}

async function trySharing(folder: string): Promise<boolean> {
  const scratch = await mkdtemp(join(folder, '.clone-')).catch(() => null)
  if (!scratch) return false
  try {
    await writeFile(join(scratch, 'a'), 'x'.repeat(8192))
    await copyFile(join(scratch, 'a'), join(scratch, 'b'), constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    // The file system's way of saying no.
    return false
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/**
 * Deletes a tree without following links, whatever bytes its names hold and though folders in it are read-only.
 * A missing tree is already gone.
 */
export async function deleteTree(path: string, signal?: AbortSignal): Promise<void> {
  const isGone = await lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
  if (isGone) return
  const options = { env: plain(), timeout: DELETE_MS, ...(signal ? { signal } : {}) }
  const first = await runCommand('rm', ['-rf', '--', path], { ...options, okCodes: [0, 1] })
  if (first.exitCode === 0) return
  // Module caches make their folders read-only. Folders only: a file may have another name outside of the tree.
  const openFolders = ['-P', path, '-type', 'd', '!', '-perm', '-700', '-exec', 'chmod', 'u+rwx', '{}', ';']
  await runCommand('find', openFolders, { ...options, okCodes: [0, 1] })
  await runCommand('rm', ['-rf', '--', path], options)
}

/** Makes everything written below a folder's file system durable. */
export async function flushFileSystem(folder: string): Promise<void> {
  const args = process.platform === 'darwin' ? [] : ['-f', folder]
  await runCommand('sync', args, { env: plain(), timeout: SYNC_MS })
}
