import type { Done, Snapshot } from '../../src-preload/contract/index.ts'
import { noteGone, readGone } from '../state/gone-snapshots.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { type Metadata, requireMetadata, requireWritable } from '../state/metadata.ts'
import { readTrashDays } from '../state/settings.ts'
import { requireSlug } from '../state/slug.ts'
import {
  clearCommittedImage,
  currentSnapshot,
  pickSnapshot,
  readCommittedImage,
  readSnapshots,
  writeCommittedImage,
} from '../state/snapshot-files.ts'
import { moveSnapshotToTrash } from '../state/snapshot-trash.ts'
import { bottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import type { SnapshotTarget } from './artifact-services.ts'
import { originsOf } from './carry/carried-from.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { forksThatNeed, withTrash } from './purge.ts'
import type { OperationContext } from './services.ts'

/**
 * Moves one snapshot to the trash. Its children stay whole, since engines share layers. The current snapshot may go
 * only while the bottle's own files are there; the next older one is current then.
 * @throws BottleError `denied` where it holds the only copy of somebody's work, `cancelled`, `snapshot-missing`
 */
export async function deleteSnapshot(
  deps: BottleDeps,
  target: SnapshotTarget,
  context: OperationContext,
): Promise<Done> {
  const slug = requireSlug(target.slug)
  // Asked before any lock is taken: a person may think for as long as they like.
  const seen = await look(deps, slug, target.snapshot)
  await requireDispensable(deps, seen, context.signal)
  await requireConsent(seen, context)
  const options = { operation: 'delete snapshot', signal: context.signal }
  const run = () => deleteLocked(deps, slug, seen, context.signal)
  return withTrash(deps, 'delete snapshot', context.signal, () => withLock(deps.root, slug, options, run))
}

interface Look {
  readonly metadata: Metadata
  readonly snapshots: readonly Snapshot[]
  readonly doomed: Snapshot
  readonly isCurrent: boolean
  /** True for a container's snapshot that others of this machine are laid over on their way back. */
  readonly isOrigin: boolean
}

async function look(deps: BottleDeps, slug: string, wanted: string | undefined): Promise<Look> {
  const metadata = await requireMetadata(deps.root, slug)
  requireWritable(slug, metadata)
  const [{ snapshots }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  const current = currentSnapshot(snapshots, committed)
  const doomed = wanted === undefined && current ? current : pickSnapshot(slug, snapshots, wanted ?? 'latest')
  const isOrigin = originsOf({ snapshots, gone: await readGone(deps.root, slug) }).has(doomed.id)
  return { metadata, snapshots, doomed, isCurrent: current?.id === doomed.id, isOrigin }
}

async function deleteLocked(deps: BottleDeps, slug: string, seen: Look, signal: AbortSignal): Promise<Done> {
  const now = await look(deps, slug, seen.doomed.id)
  const { doomed, isCurrent, snapshots } = now
  if ((isCurrent && !seen.isCurrent) || (doomed.pinned && !seen.doomed.pinned)) {
    throw bottleError('busy', `${slug}@${doomed.id} was changed meanwhile. Look at it and try again.`, {
      slug,
    })
  }
  await requireDispensable(deps, now, signal)
  if (isCurrent) await switchCurrent(deps, slug, snapshots, doomed)
  await noteGone(deps.root, doomed)
  const id = await moveSnapshotToTrash(deps.root, doomed, isCurrent, new Date())
  await appendJournal(deps.root, slug, {
    op: 'delete snapshot',
    outcome: 'done',
    message: `Snapshot ${doomed.id} went to the trash.`,
  })
  const days = await readTrashDays(deps.root)
  const kept = `${slug}@${doomed.id} waits ${days} days in the trash as ${id}; icebox trash undo ${id} brings it back`
  return { done: [kept], left: [], unrecoverable: [] }
}

async function requireDispensable(deps: BottleDeps, seen: Look, signal: AbortSignal): Promise<void> {
  const { metadata, doomed, isCurrent } = seen
  const { slug, id } = doomed
  const needed = await forksThatNeed(deps, [doomed])
  if (needed.length > 0) {
    throw bottleError('denied', `It was not deleted. ${needed.join('. ')}.`, { slug })
  }
  if (doomed.status === 'in-doubt') {
    throw bottleError('denied', `${slug}@${id} is in doubt; icebox cleanup settles it first.`, { slug })
  }
  if (!isCurrent) return
  const backend = await deps.backends.get(metadata.backend)
  if (await ownedRuntime(deps, slug, backend, signal)) return
  throw bottleError(
    'denied',
    `${slug}@${id} is what ${slug} comes back from, and nothing else holds its files, so it was not deleted. Destroy the bottle if you don't need it any more.`,
    { slug },
  )
}

async function requireConsent(
  { doomed, isCurrent, isOrigin }: Look,
  context: OperationContext,
): Promise<void> {
  const why = doomed.pinned
    ? 'is pinned'
    : isCurrent
      ? 'is the newest of its bottle'
      : isOrigin
        ? 'is the container that newer snapshots of this machine go back to'
        : null
  if (why === null) return
  const question = `${doomed.slug}@${doomed.id} ${why}. Move it to the trash all the same?`
  if (!(await context.confirm(question))) throw bottleError('cancelled', undefined, { slug: doomed.slug })
}

/** First, since `committed-image` must never name what is not recorded. */
async function switchCurrent(
  deps: BottleDeps,
  slug: string,
  snapshots: readonly Snapshot[],
  doomed: Snapshot,
): Promise<void> {
  const next = snapshots.findLast((each) => each.id !== doomed.id && each.status === 'ready')
  if (next) await writeCommittedImage(deps.root, slug, next.reference)
  else await clearCommittedImage(deps.root, slug)
  faultPoint('delete-snapshot:after-switch')
}
