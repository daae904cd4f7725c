import { constants } from 'node:fs'
import { copyFile, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { syncFolder } from '../../state/durable-file.ts'
import { clearIntent, writeIntent } from '../../state/intent.ts'
import { appendJournal } from '../../state/journal.ts'
import type { Metadata } from '../../state/metadata.ts'
import { removeTree } from '../../state/remove-tree.ts'
import { newSnapshotId, removeSnapshotRecord, writeSnapshot } from '../../state/snapshot-files.ts'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import { draftTarget, type PreparedRun, toLaunchPlan, writeBuildContext } from '../prepare-run.ts'
import type { OperationContext } from '../services.ts'
import { requireRoom } from '../space-guard.ts'
import { baseOf } from './base.ts'
import { type CarriedContent, withContent } from './content.ts'
import { type Crossing, containerWishes } from './plan-crossing.ts'

/** Milliseconds that taking a failed one back may last. */
const TAKE_BACK_MS = 120_000

/**
 * Makes of a snapshot one of another backend, recorded beside it; one that is there already is used again. The source
 * stays as it is, whatever happens, and of a failure nothing is left. The caller holds the lock of the bottle that gets
 * the new snapshot. @throws BottleError
 */
export async function carrySnapshot(
  deps: ArtifactDeps,
  crossing: Crossing,
  prepared: PreparedRun,
  metadata: Metadata,
  context: OperationContext,
): Promise<Snapshot> {
  const { source, slug, to, ready } = crossing
  if (ready) return ready
  await requireRoom(deps, to, 'Going on elsewhere', context.signal)
  const draft = await freeDraft(deps, crossing, context.signal)
  await writeIntent(deps.root, slug, {
    op: 'carry',
    runId: null,
    previous: null,
    runtime: null,
    snapshotId: draft.id,
    target: draft.reference,
    draft,
  })
  faultPoint('carry:after-intent')
  try {
    const base = async () => {
      const plan = toLaunchPlan(deps, prepared, draftTarget(slug, null, null))
      await writeBuildContext(prepared, plan)
      return baseOf([to, await deps.backends.get('docker')], source, plan, context)
    }
    const wishes = containerWishes(prepared, metadata)
    const snapshot = await withContent({ deps, crossing, wishes, base, context }, (content) =>
      load(deps, crossing, draft, content, context),
    )
    faultPoint('carry:after-load')
    await writeSnapshot(deps.root, snapshot)
    faultPoint('carry:after-record')
    await clearIntent(deps.root, slug)
    faultPoint('carry:after-clear')
    const message = `Made ${snapshot.id} for ${to.name} of ${source.slug}@${source.id}.`
    await appendJournal(deps.root, slug, { op: 'carry', outcome: 'done', message })
    return snapshot
  } catch (thrown) {
    throw await takeBack(deps, crossing, draft, thrown)
  }
}

/** A record under a reference that nobody has on that backend; state roots may share one. */
async function freeDraft(deps: ArtifactDeps, crossing: Crossing, signal: AbortSignal): Promise<Snapshot> {
  for (let tries = 0; tries < 5; tries++) {
    const draft = draftOf(deps, crossing, newSnapshotId(new Date()))
    if (!(await crossing.to.isReferenceTaken(draft.reference, signal))) return draft
  }
  throw bottleError('exists', `No free name was found on ${crossing.to.name}.`, { slug: crossing.slug })
}

function draftOf(deps: ArtifactDeps, { source, slug, to }: Crossing, id: string): Snapshot {
  const partsDir = deps.root.path('state', slug, 'snapshots', `${id}.d`)
  return {
    version: 1,
    id,
    slug,
    parent: source.slug === slug ? source.id : null,
    backend: to.name,
    reference: to.freezer.targetFor({ slug }, id, partsDir),
    digest: '',
    createdAt: new Date().toISOString(),
    fidelity: 'files',
    leftOut: [...source.leftOut, ...(source.fidelity === 'files+memory' ? ['memory'] : [])],
    bytes: 0,
    ownBytes: null,
    reason: 'carried',
    note: '',
    label: '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: source.agent,
    provider: source.provider,
    volumes: [],
    verified: null,
    ...(source.session === undefined ? {} : { session: source.session }),
    facts: { carriedFrom: { slug: source.slug, snapshot: source.id, backend: source.backend } },
  }
}

async function load(
  deps: ArtifactDeps,
  { to }: Crossing,
  draft: Snapshot,
  content: CarriedContent,
  context: OperationContext,
): Promise<Snapshot> {
  const { signal } = context
  await copyParts(deps, draft, content.parts, signal)
  const record: Snapshot = {
    ...draft,
    fidelity: content.parts.length > 0 ? 'files+volumes' : 'files',
    volumes: content.parts.map(({ part }) => part),
    leftOut: [...draft.leftOut, ...content.leftOut],
    facts: { ...content.facts, ...draft.facts },
  }
  const { leftBehind = [], ...loaded } = await (await to.portable()).load(
    {
      snapshot: record,
      rootId: deps.root.id,
      image: content.image,
      layers: content.layers,
      // All of it was hashed on its way through the store.
      verified: Promise.resolve(),
    },
    context.progress,
    signal,
  )
  return {
    ...record,
    ...loaded,
    leftOut: [...record.leftOut, ...leftBehind],
    facts: { ...loaded.facts, ...draft.facts },
  }
}

/** Durably, like everything that a record names. */
async function copyParts(
  deps: ArtifactDeps,
  { slug, id }: Snapshot,
  parts: CarriedContent['parts'],
  signal: AbortSignal,
): Promise<void> {
  if (parts.length === 0) return
  const folder = deps.root.path('state', slug, 'snapshots', `${id}.d`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { part, file } of parts) {
    signal.throwIfAborted()
    const copy = join(folder, part.file)
    await copyFile(file, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    const handle = await open(copy, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  await syncFolder(folder)
  await syncFolder(dirname(folder))
}

/** What can't be taken back now stays named by the intent, and recovery comes back to it. */
async function takeBack(
  deps: ArtifactDeps,
  { slug, to }: Crossing,
  draft: Snapshot,
  thrown: unknown,
): Promise<Error> {
  const failed = toBottleError(thrown, slug)
  try {
    // The record first: it must never name what is gone.
    await removeSnapshotRecord(deps.root, slug, draft.id)
    // The caller's signal may be what ended it.
    const { left } = await to.discardSnapshot(draft, AbortSignal.timeout(TAKE_BACK_MS))
    if (left.length === 0) {
      await removeTree(deps.root.path('state', slug, 'snapshots', `${draft.id}.d`))
      await clearIntent(deps.root, slug)
    }
  } catch {
    // The engine is away. What failed first is what a person has to know.
  }
  await appendJournal(deps.root, slug, {
    op: 'carry',
    outcome: failed.code === 'cancelled' ? 'cancelled' : 'failed',
    message: failed.message,
    code: failed.code,
  })
  return failed
}
