import { lstat, rm } from 'node:fs/promises'
import { runCommand } from '../system/run-command.ts'

/** Milliseconds that deleting one bottle's files may take. */
const DELETE_MS = 3_600_000

/**
 * Deletes a tree without following links, also where folders were made read-only (module caches do so) or names
 * are no text at all. A missing tree is already gone.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
    if (!(await isThere(path))) return
  } catch (error) {
    // Names that are not UTF-8 and read-only folders fail in different ways; the system's own rm copes with both.
    if ((error as NodeJS.ErrnoException).code === 'EROFS') throw error
  }
  const options = { timeout: DELETE_MS, okCodes: [0, 1] }
  await runCommand('chmod', ['-R', 'u+rwX', '--', path], options)
  await runCommand('rm', ['-rf', '--', path], { timeout: DELETE_MS })
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
