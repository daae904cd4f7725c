import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'

/** Left free on any disk that we fill, because running agents and engines write there too. */
const RESERVE_BYTES = 64 * 1024 * 1024
/** On small disks a share of it. */
const RESERVE_SHARE = 0.02

export interface FreeSpace {
  /** What may be written until only the reserve is left; never negative. */
  readonly bytes: number
  /** Tells file systems apart. */
  readonly device: number
}

/** What may still be written where this folder is, or will be. */
export async function freeSpace(folder: string): Promise<FreeSpace> {
  try {
    const [{ bavail, bsize, blocks }, { dev }] = await Promise.all([statfs(folder), stat(folder)])
    const reserve = Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE)
    return { bytes: Math.max(0, Math.floor(bavail * bsize - reserve)), device: dev }
  } catch (error) {
    if (!isMissing(error) || dirname(folder) === folder) throw error
    return freeSpace(dirname(folder))
  }
}

/** @throws BottleError `disk-full` when only the reserve is left: sooner than the disk itself says so */
export async function requireReserve(folder: string): Promise<void> {
  if ((await freeSpace(folder)).bytes > 0) return
  throw bottleError('disk-full', `The disk that holds ${folder} is full. What was written of it is removed.`)
}

export interface SpaceNeed {
  readonly folder: string
  readonly bytes: number
}

/**
 * Refuses before anything is written what would not fit. Needs on one file system add up.
 * @throws BottleError `disk-full` with what is needed and what is free
 */
export async function requireSpace(needs: readonly SpaceNeed[]): Promise<void> {
  const sums = new Map<number, { free: number; need: number; folder: string }>()
  for (const { folder, bytes } of needs) {
    const found = await freeSpace(folder)
    const known = sums.get(found.device)
    sums.set(found.device, {
      free: found.bytes,
      need: (known?.need ?? 0) + bytes,
      folder: known?.folder ?? folder,
    })
  }
  for (const { free, need, folder } of sums.values()) {
    if (need <= free) continue
    throw bottleError(
      'disk-full',
      `About ${inWords(need)} are needed where ${folder} is, and ${inWords(free)} are free. Nothing was written.`,
    )
  }
}

function inWords(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`
}
