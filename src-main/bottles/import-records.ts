import { lstat } from 'node:fs/promises'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { ReadImage } from '../artifacts/import/read-staged.ts'
import type { Backend } from '../backends/backend.ts'
import { intentText } from '../state/intent.ts'
import { METADATA_VERSION, type Metadata, metadataText } from '../state/metadata.ts'
import { parseSessionMark } from '../state/session-file.ts'
import { slugify } from '../state/slug.ts'
import { newSnapshotId } from '../state/snapshot-files.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ImportOptions } from './import-bottle.ts'
import { readSlugs } from './read-slugs.ts'
import { type Reservation, reserveSlug } from './reserve-slug.ts'

/** What a record needs of what is imported. */
export type ImportedImage = Pick<ReadImage, 'facts' | 'volumes'> & {
  readonly staged: Pick<ReadImage['staged'], 'name'>
}

/** The id that the snapshot had, unless a snapshot here has it, or a clock was ahead: it must not hide newer ones. */
export async function freeSnapshotId(deps: ArtifactDeps, wished: string | null, now: Date): Promise<string> {
  const fresh = newSnapshotId(now)
  if (wished === null || wished.slice(0, 16) > fresh.slice(0, 16)) return fresh
  for (const slug of await readSlugs(deps)) {
    const file = deps.root.path('state', slug, 'snapshots', `${wished}.json`)
    const found = await lstat(file).catch(() => null)
    if (found) return fresh
  }
  return wished
}

/** The record for a slug: under the wished id, or a fresh one where another root's snapshot has that reference. */
export async function draftUnderFreeId(
  deps: Pick<ArtifactDeps, 'root'>,
  backend: Backend,
  image: ImportedImage,
  slug: string,
  wished: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  const draft = draftSnapshot(deps, backend, image, slug, wished)
  if (!(await backend.isReferenceTaken(draft.reference, signal))) return draft
  return draftSnapshot(deps, backend, image, slug, newSnapshotId(new Date()))
}

/** It comes from elsewhere and becomes an argument, so it is read as carefully as a record. Pure. */
function importedSession(value: unknown): Pick<Snapshot, 'session'> {
  if (value === null) return { session: null }
  const mark = parseSessionMark(value)
  return mark ? { session: mark } : {}
}

/** The record as far as it is known before the load. Pure but for the backend's naming. */
export function draftSnapshot(
  deps: Pick<ArtifactDeps, 'root'>,
  backend: Backend,
  image: ImportedImage,
  slug: string,
  id: string,
): Snapshot {
  const { facts } = image
  const partsDir = deps.root.path('state', slug, 'snapshots', `${id}.d`)
  const lacksMemory = facts?.snapshot.fidelity === 'files+memory'
  return {
    version: 1,
    id,
    slug,
    parent: null,
    backend: backend.name,
    reference: backend.freezer.targetFor({ slug }, id, partsDir),
    digest: '',
    createdAt: facts?.snapshot.createdAt ?? new Date().toISOString(),
    fidelity: image.volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: [...(facts?.snapshot.leftOut ?? []), ...(lacksMemory ? ['memory'] : [])],
    bytes: 0,
    ownBytes: null,
    reason: 'imported',
    note: facts?.snapshot.note ?? '',
    label: facts?.snapshot.label ?? '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: facts?.bottle.agent ?? '',
    provider: facts?.bottle.provider ?? '',
    volumes: image.volumes.map(({ fact }, at) => ({
      destination: fact.destination,
      kind: fact.kind,
      name: fact.name,
      file: `${at}.tar`,
      bytes: fact.bytes,
      sha256: fact.sha256,
    })),
    verified: null,
    ...importedSession(facts?.snapshot.session),
    facts: facts?.snapshot.facts ?? {},
  }
}

export interface ImportReservation extends Reservation {
  /** The record of what shall be loaded; the intent names it. */
  readonly draft: Snapshot
  readonly wished: string
  readonly isRenamed: boolean
}

/** Takes a free slug for the bottle, with its metadata and an intent from the first moment on. */
export async function reserveImport(
  deps: ArtifactDeps,
  backend: Backend,
  image: ImportedImage,
  options: ImportOptions,
  notices: readonly string[],
  makeDraft: (slug: string) => Promise<Snapshot>,
  signal: AbortSignal,
): Promise<ImportReservation> {
  const label = options.label || image.facts?.bottle.slug || image.staged.name
  const wished = slugify(label)
  const drafts = new Map<string, Snapshot>()
  const reservation = await reserveSlug(
    deps.root,
    { label, agentName: 'imported', mayNumber: true },
    backend,
    async (slug) => {
      const snapshot = await makeDraft(slug)
      drafts.set(slug, snapshot)
      return {
        'metadata.json': metadataText(importedMetadata(deps, backend, image, options, notices, slug)),
        'intent.json': await intentText({
          op: 'import',
          runId: null,
          previous: null,
          runtime: null,
          snapshotId: snapshot.id,
          target: snapshot.reference,
          draft: snapshot,
        }),
      }
    },
    signal,
  )
  const draft = drafts.get(reservation.slug) ?? (await makeDraft(reservation.slug))
  return { ...reservation, draft, wished, isRenamed: wished !== '' && wished !== reservation.slug }
}

function importedMetadata(
  deps: ArtifactDeps,
  backend: Backend,
  image: ImportedImage,
  options: ImportOptions,
  notices: readonly string[],
  slug: string,
): Metadata {
  const bottle = image.facts?.bottle
  return {
    identity: slug,
    agentName: bottle?.agent ?? '',
    cwd: '',
    copyCwd: false,
    startedAt: new Date().toISOString(),
    composeProject: '',
    backend: backend.name,
    label: options.label || bottle?.label || '',
    color: bottle?.color ?? '',
    bottleNames: bottle?.bottleNames ?? [],
    icebox: {
      version: METADATA_VERSION,
      root: deps.root.id,
      provider: bottle?.provider ?? '',
      agentSource: '',
      runs: [],
      // That somebody lifted the policy elsewhere lifts nothing here.
      policy: bottle?.policy === 'no-network' ? 'no-network' : 'default',
      secretNames: bottle?.secretNames ?? [],
      forgeEnvNames: [],
      adopted: false,
      forkOf: null,
      volumes: [],
      notices,
    },
    raw: {},
  }
}
