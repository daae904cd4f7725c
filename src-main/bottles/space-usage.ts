import { lstat } from 'node:fs/promises'
import type { SpaceUsage } from '../../src-preload/contract/index.ts'
import { accountSizes } from '../snapshots/account-sizes.ts'
import { bottleError } from '../system/bottle-error.ts'
import { diskSpace } from '../system/disk-space.ts'
import { runCommand } from '../system/run-command.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { weighSnapshots } from './weigh-snapshots.ts'

const MEASURE_MS = 600_000
/** What the system counts blocks in, whatever its disk uses. */
const BLOCK = 512

/**
 * What everything takes up. Layers count once however many snapshots share them; an engine that does not answer is
 * told in `notices` and left out of the sums.
 */
export async function spaceUsage(deps: ArtifactDeps, signal: AbortSignal): Promise<SpaceUsage> {
  const store = await deps.store()
  const [{ weighed, notices }, storeBytes, unused, trashFiles, disk] = await Promise.all([
    weighSnapshots(deps, signal),
    store.size(),
    store.collect({ dryRun: true }, signal),
    contentBytes(deps.root.path('trash'), signal),
    diskSpace(deps.root.dir),
  ])
  if (!disk)
    throw bottleError('permission', `The disk of ${deps.root.dir} can't be asked for its free space.`)
  const accounts = accountSizes(weighed)
  return {
    snapshots: [...accounts.snapshots].sort((a, b) =>
      a.slug === b.slug ? (a.id < b.id ? -1 : 1) : a.slug < b.slug ? -1 : 1,
    ),
    snapshotBytes: accounts.snapshotBytes,
    storeBytes,
    storeUnusedBytes: unused.bytes,
    trashBytes: accounts.trashBytes + trashFiles,
    freeBytes: disk.free,
    notices: [...notices],
  }
}

/** What a folder's content takes on disk, names of any bytes and holes included; the folder itself is not counted. */
async function contentBytes(folder: string, signal: AbortSignal): Promise<number> {
  const found = await lstat(folder).catch(() => null)
  if (!found) return 0
  const options = { timeout: MEASURE_MS, signal, okCodes: [0, 1] }
  const { stdout } = await runCommand('du', ['-sk', folder], options)
  const kilobytes = Number(/^\d+/.exec(stdout)?.[0])
  const own = Math.ceil((found.blocks * BLOCK) / 1024)
  return Number.isNaN(kilobytes) ? 0 : Math.max(0, kilobytes - own) * 1024
}
