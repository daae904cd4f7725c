import { constants } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { partialName, sweepPartials } from './partial-files.ts'

const SENTENCES: Readonly<
  Record<string, readonly ['disk-full' | 'permission' | 'not-found' | 'usage', string]>
> = {
  ENOSPC: ['disk-full', 'There is not enough room for it.'],
  EDQUOT: ['disk-full', 'There is not enough room for it.'],
  EACCES: ['permission', 'You may not write there.'],
  EPERM: ['permission', 'You may not write there.'],
  EROFS: ['permission', 'That disk can only be read.'],
  ENOENT: ['not-found', 'That folder is not there any more.'],
  EISDIR: ['usage', 'A folder has that name.'],
}

/**
 * Copies a finished archive under another name: whole or not at all, and without copying a byte where the file system
 * can clone. What had the name before stays until the copy is on the disk.
 * @throws BottleError `disk-full`, `permission`, `not-found`, `usage`
 */
export async function copyArchive(from: string, to: string): Promise<void> {
  try {
    await sweepPartials(to)
    const partial = await partialName(to)
    try {
      await copyFile(from, partial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      const handle = await open(partial, 'r+')
      await handle.sync().finally(() => handle.close())
      await rename(partial, to)
    } finally {
      await rm(partial, { force: true })
    }
    await syncFolder(dirname(to))
  } catch (error) {
    const [code, why] = SENTENCES[String((error as NodeJS.ErrnoException).code)] ?? []
    if (code === undefined) throw error
    throw bottleError(code, `The file was not saved as ${to}. ${why}`, { cause: error })
  }
}
