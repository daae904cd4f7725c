import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { isSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import type { Inventory, RemoveResult } from '../backend.ts'
import { inBatches } from '../local/in-batches.ts'
import { sweepHelpers } from './capture-helper.ts'
import { createMachines } from './capture-machines.ts'
import type { SmolContext } from './context.ts'
import { listMachines } from './machines.ts'
import { readOwners, removeOwner } from './owners.ts'
import { ARTIFACTS, artifactPath, hasRunFolder, runPaths, snapshotFolder, stateFolder } from './run-paths.ts'

/** Everything of this root on the engine, and the files of its snapshots. @throws BottleError */
export async function takeInventory(
  context: SmolContext,
  rootId: string,
  signal: AbortSignal,
): Promise<Inventory> {
  // What looks into snapshots comes and goes by itself; dead ones are swept first, and none is anybody's work.
  await sweepHelpers(createMachines(context), context.home, signal).catch(() => undefined)
  const machines = (await listMachines(context, signal)).flatMap(({ machine, owner }) =>
    owner?.root === rootId && owner.role === 'agent'
      ? [{ id: machine.name, name: machine.name, slug: owner.slug, runId: owner.runId }]
      : [],
  )
  await dropStaleRecords(context, new Set(machines.map(({ name }) => name)))
  const slugs = (await namesIn(join(context.home, 'state'))).filter(isSlug)
  const images = await inBatches(slugs, 32, (slug) => snapshotFiles(context.home, slug))
  return { containers: machines, images: images.flat(), volumes: [], networks: [] }
}

/** A record without its machine and without its run's folder names nothing any more. */
async function dropStaleRecords(context: SmolContext, there: ReadonlySet<string>): Promise<void> {
  for (const record of (await readOwners(context.home)).values()) {
    if (there.has(record.name)) continue
    const dir = hasRunFolder(record) ? runPaths(context.home, record).dir : null
    if (dir !== null && (await stat(dir).catch(() => null))) continue
    await removeOwner(context.home, record.name)
  }
}

async function snapshotFiles(home: string, slug: string): Promise<Inventory['images'][number][]> {
  const folder = join(stateFolder(home, slug), 'snapshots')
  const found: Inventory['images'][number][] = []
  for (const name of await namesIn(folder)) {
    const id = name.replace(/\.d$/, '')
    if (id === name || !isSnapshotId(id)) continue
    const files = (await namesIn(join(folder, name))).filter((file) =>
      ARTIFACTS.some((known) => known === file),
    )
    for (const file of files)
      found.push({ reference: join(folder, name, file), slug, snapshotId: id, record: null })
  }
  return found
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}

/**
 * Deletes a snapshot's files. A machine that was made from them has its own name for the same bytes, so it lives on.
 * Missing ones are done; a reference that is no file of ours is left. @throws BottleError
 */
export async function discardFiles(context: SmolContext, snapshot: Snapshot): Promise<RemoveResult> {
  if (!ARTIFACTS.some((known) => known === basename(snapshot.reference))) {
    return { removed: [], left: [`${snapshot.reference} (not made by a freeze)`] }
  }
  const { path } = artifactPath(context.home, snapshot)
  const isThere = (await stat(path).catch(() => null)) !== null
  await rm(snapshotFolder(context.home, snapshot), { recursive: true, force: true })
  return { removed: isThere ? [path] : [], left: [] }
}
