import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import type { Inventory } from '../backend.ts'
import { inBatches } from '../local/in-batches.ts'
import type { HostContext } from './host-context.ts'
import { listRuns } from './list-runs.ts'
import { bottlePaths } from './paths.ts'

/** What of this root exists on the machine: living runs, and the trees of snapshots, half-made ones included. */
export async function inventory(context: HostContext): Promise<Inventory> {
  const running = (await listRuns(context)).filter((fact) => fact.state === 'running')
  const slugs = (await namesIn(join(context.home, 'state'))).filter(isSlug)
  const images = await inBatches(slugs, 32, (slug) => snapshotTrees(context.home, slug))
  return {
    containers: running.map(({ id, name, slug, runId }) => ({ id, name, slug, runId })),
    images: images.flat(),
    volumes: [],
    networks: [],
  }
}

async function snapshotTrees(home: string, slug: string): Promise<Inventory['images'][number][]> {
  const { snapshots } = bottlePaths(home, slug)
  const names = await namesIn(snapshots)
  return names
    .filter((name) => /\.d(\.partial|\.deleting)?$/.test(name))
    .map((name) => {
      const id = name.replace(/\.d$/, '')
      return {
        reference: join(snapshots, name),
        slug,
        snapshotId: isSnapshotId(id) ? id : null,
        record: null,
      }
    })
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}
