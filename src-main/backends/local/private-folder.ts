import { lstat, mkdir } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'

/**
 * Makes a folder that only this user can enter, or accepts one that is.
 * @throws BottleError `permission` when somebody else owns it or it is a link
 */
export async function privateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const found = await lstat(path)
  const uid = process.getuid?.() ?? found.uid
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw bottleError(
      'permission',
      `${path} is not a private folder of yours. Remove it or set its mode to 0700.`,
    )
  }
}
