import type { Snapshot, Verification } from '../../src-preload/contract/index.ts'
import { failedProof, judgeBoot } from '../snapshots/judge-boot.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { requireMetadata, requireWritable } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import {
  currentSnapshot,
  pickSnapshot,
  readCommittedImage,
  readSnapshots,
  writeSnapshot,
} from '../state/snapshot-files.ts'
import { type BottleError, bottleError, isBottleError, toBottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { SnapshotTarget } from './artifact-services.ts'
import { removeSpoiltBlobs, volumeProblem } from './check-parts.ts'
import { findHealthCheck } from './health-check.ts'
import type { OperationContext } from './services.ts'

/** Seconds until a check of the image's own has failed. */
const IMAGE_CHECK_SECONDS = 60

/** What a boot may fail with because of the snapshot itself; anything else says nothing about it. */
const PROOFS_OF_FAILURE: ReadonlySet<BottleError['code']> = new Set([
  'snapshot-missing',
  'corrupt-state',
  'image-missing',
  'engine-failed',
  'timeout',
])

/**
 * Proves that a snapshot can be restored: its parts are as they were frozen, it boots without network, and its health
 * check passes. The outcome is recorded, a failed one too, and is no error. The bottle may run meanwhile: its lock is
 * only held to write.
 * @throws BottleError when there was no proof either way: `engine-down`, `disk-full`, `policy-unenforceable`, `cancelled`
 */
export async function verifySnapshot(
  deps: ArtifactDeps,
  target: SnapshotTarget,
  context: OperationContext,
): Promise<Snapshot> {
  const slug = requireSlug(target.slug)
  requireWritable(slug, await requireMetadata(deps.root, slug))
  const snapshot = await choose(deps, slug, target.snapshot)
  const verified = await prove(deps, snapshot, context)
  return record(deps, snapshot, verified, context.signal)
}

async function choose(deps: ArtifactDeps, slug: string, wanted: string | undefined): Promise<Snapshot> {
  const [{ snapshots }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  const current = currentSnapshot(snapshots, committed)
  return wanted === undefined && current ? current : pickSnapshot(slug, snapshots, wanted ?? 'latest')
}

async function prove(
  deps: ArtifactDeps,
  snapshot: Snapshot,
  context: OperationContext,
): Promise<Verification> {
  const { signal } = context
  const { slug } = snapshot
  const metadata = await requireMetadata(deps.root, slug)
  const [{ check, notice }, backend, workers] = await Promise.all([
    findHealthCheck(deps, slug, metadata),
    deps.backends.get(snapshot.backend),
    deps.workers(),
  ])
  if (notice) context.notice(notice)
  context.progress({ phase: 'checking parts', current: null, total: null })
  const problem = await volumeProblem(deps.root, workers, snapshot, signal)
  if (problem) return failedProof(new Date(), null, problem)
  const spoilt = await removeSpoiltBlobs(await deps.store(), workers, snapshot, signal)
  if (spoilt > 0) {
    context.notice(
      `${spoilt} damaged parts of its portable copy were removed; the next export makes them again.`,
    )
  }
  context.progress({ phase: 'booting', current: null, total: null })
  const timeoutSeconds = check?.timeout ?? IMAGE_CHECK_SECONDS
  const portable = await backend.portable()
  const request = { snapshot, rootId: deps.root.id, check: check?.command ?? null, timeoutSeconds }
  try {
    return judgeBoot(await portable.boot(request, signal), new Date(), timeoutSeconds)
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || !PROOFS_OF_FAILURE.has(thrown.code)) {
      throw toBottleError(thrown, slug)
    }
    return failedProof(new Date(), check?.command.join(' ') ?? null, `It did not boot: ${thrown.message}`)
  }
}

/** Read again under the lock: notes and pins may have been changed while it booted. */
async function record(
  deps: ArtifactDeps,
  proved: Snapshot,
  verified: Verification,
  signal: AbortSignal,
): Promise<Snapshot> {
  const { slug, id, digest } = proved
  const edited = await withLock(deps.root, slug, { operation: 'verify', signal }, async () => {
    const { snapshots } = await readSnapshots(deps.root, slug)
    const known = pickSnapshot(slug, snapshots, id)
    if (known.digest !== digest) {
      throw bottleError('busy', `${slug}@${id} was changed while it was verified. Try again.`, { slug })
    }
    const next = { ...known, verified }
    await writeSnapshot(deps.root, next)
    return next
  })
  await appendJournal(deps.root, slug, {
    op: 'verify',
    outcome: verified.outcome === 'passed' ? 'done' : 'failed',
    message: `Proof of restore of ${id} ${verified.outcome}: ${verified.detail}`,
  })
  return edited
}
