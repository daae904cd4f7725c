import type { Snapshot } from '../../src-preload/contract/index.ts'
import { requireSlug } from '../state/slug.ts'
import { currentSnapshot, pickSnapshot, readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { SnapshotTarget } from './artifact-services.ts'
import type { BottleDeps } from './deps.ts'

/**
 * The snapshot that is meant: the named one, else the current one, else the newest. Takes no lock: what is read is
 * one moment's truth, and a snapshot never changes.
 * @throws BottleError `snapshot-missing`, `not-found`, `invalid-slug`
 */
export async function pickTarget(deps: BottleDeps, target: SnapshotTarget): Promise<Snapshot> {
  const slug = requireSlug(target.slug)
  const [{ snapshots, damaged }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  if (snapshots.length === 0 && damaged.length === 0) await requireBottle(deps, slug)
  const current = currentSnapshot(snapshots, committed)
  const found =
    target.snapshot === undefined && current
      ? current
      : pickSnapshot(slug, snapshots, target.snapshot ?? 'latest')
  if (found.status === 'ready') return found
  throw bottleError(
    'snapshot-missing',
    `Whether ${slug}@${found.id} is complete is not known yet; its engine has to answer first. Try again, or name another one.`,
    { slug },
  )
}

async function requireBottle(deps: BottleDeps, slug: string): Promise<void> {
  const { requireMetadata } = await import('../state/metadata.ts')
  await requireMetadata(deps.root, slug)
  throw bottleError('snapshot-missing', `${slug} has no snapshot yet. icebox freeze ${slug} makes one.`, {
    slug,
  })
}
