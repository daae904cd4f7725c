import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'

/** Listings that nothing looked at for so long are made again when they are wanted. */
const KEPT_MS = 30 * 24 * 3_600_000

/** `<root>/icebox/cache/listings`: what each layer holds, named by the digest of its uncompressed tar. */
export interface ListingCache {
  /** The file of a layer's listing, null when it is not there. */
  find(diffId: string): Promise<string | null>
  /** Lets `write` fill a new file and puts it in place once that is done; half a listing is never seen. */
  make(
    write: (file: string) => Promise<{ readonly diffId: string; readonly isKept: boolean }>,
  ): Promise<string>
  /** The file beside a listing that holds the layer's package lists, there or not. */
  packagesFile(diffId: string): string
}

export function openListingCache(root: StateRoot): ListingCache {
  const folder = root.path('icebox', 'cache', 'listings')
  const fileOf = (diffId: string) => join(folder, hexOf(diffId))
  return {
    async find(diffId) {
      const file = fileOf(diffId)
      const now = new Date()
      try {
        await utimes(file, now, now)
        return file
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    async make(write) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const temp = join(folder, `.${randomBytes(8).toString('hex')}.tmp`)
      try {
        const { diffId, isKept } = await write(temp)
        if (isKept) await rename(temp, fileOf(diffId))
        return diffId
      } finally {
        await rm(temp, { force: true })
      }
    },
    packagesFile: (diffId) => `${fileOf(diffId)}.packages`,
  }
}

function hexOf(diffId: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(diffId)?.[1]
  if (hex) return hex
  throw bottleError('engine-failed', `${JSON.stringify(diffId.slice(0, 100))} is not the digest of a layer.`)
}

/** Removes listings that were not used for a month, and what dead processes left. Returns the bytes freed. */
export async function sweepListings(root: StateRoot, now: Date): Promise<number> {
  const folder = root.path('icebox', 'cache', 'listings')
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [] as string[]
    throw error
  })
  let freed = 0
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => null)
    if (!found || now.getTime() - found.mtimeMs < KEPT_MS) continue
    await rm(join(folder, name), { force: true })
    freed += found.size
  }
  return freed
}
