import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { quickFolder } from './many-files.ts'

/**
 * The temp folder, or one in memory where that has room, for root file systems and state roots: a disk takes longer
 * for their many small files than for the rest. Its path holds that of the temp folder, so that what is left there is
 * found.
 */
export function memoryFolder(): string {
  const quick = quickFolder()
  if (quick === tmpdir() || !keepsAttributes()) return tmpdir()
  const folder = join(quick, tmpdir())
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A new folder there. */
export function makeMemoryFolder(prefix: string): string {
  for (let left = 10; ; left -= 1) {
    try {
      return mkdtempSync(join(memoryFolder(), prefix))
    } catch (error) {
      // The last one out takes an empty folder along.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || left === 0) throw error
    }
  }
}

/** Removes the folders around one that `makeMemoryFolder` made and that is gone, unless others use them. */
export function leaveMemoryFolder(folder: string): void {
  const base = dirname(folder)
  if (base === tmpdir() || !base.startsWith(`${quickFolder()}/`)) return
  for (let at = base; at !== quickFolder(); at = dirname(at)) {
    try {
      rmdirSync(at)
    } catch {
      return
    }
  }
}

/** Linux keeps attributes of users on files in memory from 6.6 on. */
function keepsAttributes(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 6)
}
