import { statfs } from 'node:fs/promises'
import { bottleError } from './bottle-error.ts'

/** What the file system of a folder holds, in bytes. */
export interface DiskSpace {
  /** What this user can still write. */
  readonly free: number
  readonly total: number
}

/** Null when the folder is not there or can't be asked. One system call, no file is read. */
export async function diskSpace(folder: string): Promise<DiskSpace | null> {
  try {
    const found = await statfs(folder)
    return { free: found.bavail * found.bsize, total: found.blocks * found.bsize }
  } catch {
    return null
  }
}

/** On a small disk a fixed floor would forbid everything: at most this share of it is kept free. */
const FLOOR_SHARE = 0.05

/**
 * Refuses an operation that would leave less than the floor free on the file system of a folder. A folder that can't
 * be asked refuses nothing: the write itself tells then.
 * @param what begins the sentence: `A freeze`, `An export`
 * @throws BottleError `disk-full`
 */
export async function requireSpace(
  folder: string,
  what: string,
  needBytes: number,
  floorBytes: number,
): Promise<void> {
  const disk = await diskSpace(folder)
  if (!disk) return
  const floor = Math.min(floorBytes, disk.total * FLOOR_SHARE)
  if (disk.free - needBytes >= floor) return
  const need = needBytes > 0 ? ` needs ${mb(needBytes)} and` : ''
  throw bottleError(
    'disk-full',
    `${what}${need} leaves ${mb(floor)} free, but only ${mb(disk.free)} are free at ${folder}. Nothing was begun. Free some space (icebox prune, icebox trash empty), or lower the setting minFreeMB.`,
  )
}

const mb = (bytes: number): string => `${Math.floor(bytes / 1_000_000)} MB`
