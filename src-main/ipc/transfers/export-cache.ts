import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StateRoot } from '../../state/root.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../../system/process-identity.ts'

/** Where exports wait until a page fetches them: one folder per process, removed with it or by the next one. */
export interface ExportCache {
  /** A path for a new file; its folder is there, the file is not. */
  newFile(): Promise<string>
  remove(file: string): Promise<void>
  /** Removes all that this process made, and what processes that are gone left behind. */
  close(): Promise<void>
}

/** Opens the cache of this process at `<root>/icebox/exports` and sweeps what dead processes left there. */
export async function openExportCache(root: StateRoot): Promise<ExportCache> {
  const top = root.path('icebox', 'exports')
  const own = join(top, folderName(await ownIdentity()))
  await sweep(top)
  return {
    async newFile() {
      await mkdir(own, { recursive: true, mode: 0o700 })
      return join(own, `${randomUUID()}.bottle`)
    },
    remove: (file) => rm(file, { force: true }),
    async close() {
      await rm(own, { recursive: true, force: true })
    },
  }
}

async function sweep(top: string): Promise<void> {
  const names = await readdir(top).catch(() => [])
  await Promise.all(
    names.map(async (name) => {
      const owner = ownerOf(name)
      if (owner && (await isAlive(owner))) return
      await rm(join(top, name), { recursive: true, force: true })
    }),
  )
}

const MARK = '~'

function folderName({ pid, startTime, bootId }: ProcessIdentity): string {
  return [String(pid), startTime, bootId].map(encodeURIComponent).join(MARK)
}

function ownerOf(name: string): ProcessIdentity | null {
  try {
    const [pid, startTime, bootId] = name.split(MARK).map(decodeURIComponent)
    if (!/^\d{1,10}$/.test(pid ?? '') || !startTime || !bootId) return null
    return { pid: Number(pid), startTime, bootId }
  } catch {
    // Nothing that this program named.
    return null
  }
}
