import { readdir } from 'node:fs/promises'
import type { Done, Snapshot } from '../../src-preload/contract/index.ts'
import { readLaunched } from '../agents/launched-agent.ts'
import type { Backend, RemoveResult, RuntimeRef } from '../backends/backend.ts'
import { requireBackendName } from '../backends/registry.ts'
import { clearIntent, writeIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { latestRun, type Metadata, readMetadata, requireWritable } from '../state/metadata.ts'
import { requireRealFolder } from '../state/root.ts'
import { readTrashDays } from '../state/settings.ts'
import { requireSlug } from '../state/slug.ts'
import { currentSnapshot, readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { moveToTrash } from '../state/trash.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { freezeForGood, keepBeforeRemoval } from './freeze-for-good.ts'
import { afterStop, beforeStop } from './hooks/stop-hooks.ts'
import { purgeEntry } from './purge.ts'
import type { DestroyRequest, OperationContext } from './services.ts'
import { withdrawMounted } from './withdraw-workspace.ts'

const NOTHING: Done = { done: [], left: [], unrecoverable: [] }

/** The backends that may hold something of the bottle: the recorded one, or all when no record tells (case 18). */
async function possibleBackends(
  deps: BottleDeps,
  request: DestroyRequest,
  metadata: Metadata | null,
): Promise<readonly Backend[]> {
  const named = request.backend ?? metadata?.backend
  if (named !== undefined) return [await deps.backends.get(requireBackendName(named))]
  return deps.backends.installed()
}

/**
 * Removes a bottle's runtimes and verifies it; its state, snapshots and volumes go to the trash. Doing it again
 * is no error. State never goes while its runtime may still be there, unless `force` says so.
 */
export async function destroy(
  deps: BottleDeps,
  request: DestroyRequest,
  context: OperationContext,
): Promise<Done> {
  const slug = requireSlug(request.slug)
  if (request.backend) requireBackendName(request.backend)
  const folder = deps.root.path('state', slug)
  await requireRealFolder(folder)
  const options = { operation: 'destroy', signal: context.signal }
  const event = { cause: 'destroy', force: request.force } as const
  const tells = await beforeStop(deps, slug, event, context)
  // While its records are still there.
  const ended = async () => (tells ? afterStop(deps, slug, event, context) : undefined)
  return withLock(deps.root, slug, options, () => destroyLocked(deps, slug, request, context, ended))
}

async function destroyLocked(
  deps: BottleDeps,
  slug: string,
  request: DestroyRequest,
  context: OperationContext,
  ended: () => Promise<void>,
): Promise<Done> {
  const { root } = deps
  const hasFolder = await readdir(root.path('state', slug)).then(
    () => true,
    () => false,
  )
  const read = await readMetadata(root, slug)
  const metadata = read.kind === 'ok' ? read.metadata : null
  if (metadata && !request.force) requireWritable(slug, metadata)
  if (!hasFolder && !request.backend) return { ...NOTHING, done: [`${slug} was already gone`] }
  const backends = await possibleBackends(deps, request, metadata)
  const removed = await removeRuntimes(deps, slug, backends, request, hasFolder, context)
  if (removed.left.length > 0) {
    throw bottleError(
      'engine-failed',
      `These could not be removed: ${removed.left.join(', ')}. State was kept; run it again.`,
      {
        slug,
      },
    )
  }
  if (!hasFolder) return { ...NOTHING, done: [...removed.done] }
  faultPoint('destroy:after-remove')
  await ended()
  await clearIntent(root, slug)
  await appendJournal(root, slug, { op: 'destroy', outcome: 'done', message: 'Destroyed.' })
  const id = await moveToTrash(root, slug, new Date())
  faultPoint('destroy:after-trash')
  if (request.purge) {
    const purged = await purgeEntry(deps, id, context.signal)
    return {
      done: [...removed.done, ...purged.done],
      left: purged.left,
      unrecoverable: [...removed.unrecoverable, ...purged.unrecoverable],
    }
  }
  const days = await readTrashDays(deps.root)
  const kept = `state and snapshots wait ${days} days in the trash as ${id}; icebox trash undo ${slug} brings them back`
  return { done: [...removed.done, kept], left: [], unrecoverable: removed.unrecoverable }
}

async function removeRuntimes(
  deps: BottleDeps,
  slug: string,
  backends: readonly Backend[],
  request: DestroyRequest,
  hasFolder: boolean,
  context: OperationContext,
): Promise<Done> {
  const done: string[] = []
  const left: string[] = []
  const unrecoverable: string[] = []
  for (const backend of backends) {
    try {
      const runtime = await ownedRuntime(deps, slug, backend, context.signal)
      if (!runtime) {
        done.push(...(await removeRemains(deps, slug, backend, context)))
        continue
      }
      const lost = await freezeOrWarn(deps, slug, backend, runtime, request, hasFolder, context)
      if (hasFolder) await intend(deps, slug, runtime)
      faultPoint('destroy:after-intent')
      // After a freeze nothing slow may come any more: what still runs would do what no snapshot holds.
      if (lost !== null) await keepBeforeRemoval(deps, backend, slug, runtime, context)
      // A folder of the user that was mounted outlives all of it.
      await withdrawMounted(deps, backend, runtime, context)
      const result: RemoveResult = await backend.remove(runtime, context.signal)
      done.push(...result.removed.map((name) => `removed ${name}`))
      left.push(...result.left)
      unrecoverable.push(...(lost ?? []))
    } catch (thrown) {
      const isAway =
        isBottleError(thrown) && (thrown.code === 'engine-down' || thrown.code === 'engine-missing')
      if (!isAway) throw thrown
      // With no record of where it ran, an engine that isn't installed can't hold anything of it.
      if (backends.length > 1 && thrown.code === 'engine-missing') continue
      if (!request.force) throw unreachable(slug, thrown.message)
      unrecoverable.push(`whatever ${backend.name} still holds: ${thrown.message}`)
    }
  }
  return { done, left, unrecoverable }
}

/** Sidecars, network and secrets of a run whose container somebody removed by hand. */
async function removeRemains(
  deps: BottleDeps,
  slug: string,
  backend: Backend,
  context: OperationContext,
): Promise<readonly string[]> {
  const read = await readMetadata(deps.root, slug)
  const ref = read.kind === 'ok' ? latestRun(read.metadata)?.ref : null
  if (!ref || ref.backend !== backend.name) return []
  const result = await backend.remove(ref, context.signal)
  return result.removed.map((name) => `removed ${name}`)
}

function unreachable(slug: string, why: string): Error {
  return bottleError(
    'engine-down',
    `${why} Nothing was removed. --force removes the records of ${slug} only.`,
    { slug },
  )
}

async function intend(deps: BottleDeps, slug: string, runtime: RuntimeRef): Promise<void> {
  await writeIntent(deps.root, slug, {
    op: 'destroy',
    runId: runtime.runId,
    previous: null,
    runtime,
    snapshotId: null,
    target: null,
    draft: null,
  })
}

/** Freezes first when asked, and is null then; else names the work that no snapshot holds. */
async function freezeOrWarn(
  deps: BottleDeps,
  slug: string,
  backend: Backend,
  runtime: RuntimeRef,
  request: DestroyRequest,
  hasFolder: boolean,
  context: OperationContext,
): Promise<readonly string[] | null> {
  if (!hasFolder) return []
  const { snapshots } = await readSnapshots(deps.root, slug)
  const current = currentSnapshot(snapshots, await readCommittedImage(deps.root, slug))
  if (!(await backend.hasChangedSince(runtime, current, context.signal))) return []
  if (await isFrozenFirst(deps, slug, request)) {
    await freezeForGood(deps, backend, slug, runtime, context)
    return null
  }
  // On the host the live files move to the trash with the state, so nothing is lost.
  return backend.name === 'host' ? [] : [lostWork(current)]
}

/** The call's own word counts; without one the rule that the run was launched with. A purge leaves nothing to freeze for. */
async function isFrozenFirst(deps: BottleDeps, slug: string, request: DestroyRequest): Promise<boolean> {
  if (request.freeze !== undefined || request.purge) return request.freeze === true
  const read = await readMetadata(deps.root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  const launched = run ? await readLaunched(deps.root, slug, run.id) : null
  return launched?.lifecycle.autoFreeze.beforeDestroy === true
}

function lostWork(current: Snapshot | null): string {
  return current
    ? `work since the freeze ${current.id} of ${current.createdAt}`
    : 'all work: it was never frozen'
}
