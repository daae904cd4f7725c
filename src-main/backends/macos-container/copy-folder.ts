import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Copies a folder of this machine so that any user can read the copy; links stay links. What is no file, folder or
 * link is left out.
 */
export async function copyFolder(from: string, to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await mkdir(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await copyFolder(source, target, signal)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else if (entry.isFile()) {
      signal.throwIfAborted()
      await copyFile(source, target, constants.COPYFILE_FICLONE)
      const { mode, atime, mtime } = await lstat(source)
      await chmod(target, (mode & 0o777) | 0o444)
      await utimes(target, atime, mtime)
    }
  }
  const { mode, atime, mtime } = await lstat(from)
  await chmod(to, (mode & 0o777) | 0o755)
  await utimes(to, atime, mtime)
}
