import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing, syncFolder } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { growingFile } from '../store/staged-file.ts'
import { partialName, sweepPartials } from './partial-files.ts'
import type { ArchiveSink } from './write-archive.ts'

/** An archive on its way to a file: it gets its name when it is whole and on the disk, or leaves nothing. */
export interface ArchiveFile extends ArchiveSink {
  /** Goes back to so many bytes. */
  cut(bytes: number): Promise<void>
  /** Flushes, then puts the archive in the place of whatever has the name. */
  finish(): Promise<void>
  discard(): Promise<void>
}

/**
 * Begins an archive beside its target, and removes what a dead process began for the same one.
 * @throws BottleError `usage` when the target is no place for a file
 */
export async function openArchiveFile(target: string): Promise<ArchiveFile> {
  await requirePlace(target)
  await sweepPartials(target)
  const partial = await partialName(target)
  const handle = await open(partial, 'wx', 0o600).catch((error: unknown) => {
    if (!isMissing(error)) throw error
    throw bottleError('not-found', `There is no folder ${dirname(target)}.`, { cause: error })
  })
  const file = growingFile(partial, handle)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await file.close()
  }
  return {
    write: file.write,
    cut: file.cut,
    async finish() {
      await handle.sync()
      await close()
      faultPoint('export:archive-written')
      await rename(partial, target)
      await syncFolder(dirname(target))
    },
    async discard() {
      await close().catch(() => undefined)
      await rm(partial, { force: true })
    },
  }
}

/** Renaming over a device or a pipe would destroy it. */
async function requirePlace(target: string): Promise<void> {
  const found = await stat(target).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (!found || found.isFile()) return
  throw bottleError(
    'usage',
    found.isDirectory()
      ? `${target} is a folder. Name a file in it.`
      : `${target} is no plain file. Leave -o out and redirect the output there.`,
  )
}
