import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { diskSpace } from '../../system/disk-space.ts'

/** Never taken of a disk that we fill, whatever was estimated before: running agents and engines write there too. */
const RESERVE_BYTES = 64 * 1024 * 1024
/** On small disks a share of it. */
const RESERVE_SHARE = 0.02
/** At most this share of a small disk is kept free before anything is begun. */
const FLOOR_SHARE = 0.05

/** @throws BottleError `disk-full` when only the reserve is left: sooner than the disk itself says so */
export async function requireReserve(folder: string): Promise<void> {
  const disk = await diskSpace(folder)
  if (!disk || disk.free > Math.min(RESERVE_BYTES, disk.total * RESERVE_SHARE)) return
  throw bottleError(
    'disk-full',
    `The disk is full (${folder}). What was written is removed again. Free some space: icebox prune, icebox trash empty.`,
  )
}

export interface SpaceNeed {
  /** There or not yet. */
  readonly folder: string
  readonly bytes: number
}

/**
 * Refuses before anything is written what would not fit and leave the floor free. Needs on one file system add up.
 * @throws BottleError `disk-full` with what is needed and what is free
 */
export async function requireSpace(needs: readonly SpaceNeed[], floorBytes: number): Promise<void> {
  const sums = new Map<number, { folder: string; need: number }>()
  for (const { folder, bytes } of needs) {
    const place = await nearest(folder)
    const need = (sums.get(place.device)?.need ?? 0) + bytes
    sums.set(place.device, { folder: place.folder, need })
  }
  for (const { folder, need } of sums.values()) {
    const disk = await diskSpace(folder)
    const floor = Math.min(floorBytes, (disk?.total ?? 0) * FLOOR_SHARE)
    if (!disk || disk.free - need >= floor) continue
    throw bottleError(
      'disk-full',
      `An export needs about ${mb(need)} and leaves ${mb(floor)} free, but only ${mb(disk.free)} are free at ${folder}. Nothing was written. Free some space (icebox prune, icebox trash empty), or lower the setting minFreeMB.`,
    )
  }
}

const mb = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

/** The folder itself, or the one in which it will be made. */
async function nearest(folder: string): Promise<{ readonly folder: string; readonly device: number }> {
  try {
    return { folder, device: (await stat(folder)).dev }
  } catch (error) {
    if (!isMissing(error) || dirname(folder) === folder) throw error
    return nearest(dirname(folder))
  }
}
