import { mkdir, readdir, writeFile } from 'node:fs/promises'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { bottleError } from '../system/bottle-error.ts'
import { notifyChange } from './changes.ts'
import {
  quarantine,
  readJsonObject,
  readText,
  removeDurable,
  syncFolder,
  writeDurable,
} from './durable-file.ts'
import type { StateRoot } from './root.ts'
import { parseSessionMark } from './session-file.ts'
import { randomBase36 } from './slug.ts'

const ID = /^\d{8}T\d{6}Z-[0-9a-z]{4}$/

/** `20261121T074500Z-k3f9`: sorts by time, unique within a bottle. */
export function newSnapshotId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  return `${stamp}-${randomBase36(4)}`
}

export function isSnapshotId(text: string): boolean {
  return ID.test(text)
}

const REASONS: readonly string[] = [
  'user',
  'before-resume',
  'before-destroy',
  'before-fork',
  'rule',
  'adopted',
  'imported',
  'carried',
] satisfies readonly Snapshot['reason'][]

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** A part that lies beside the record, under a plain name: a path would lead a resume elsewhere. */
function isVolumePart(value: unknown): value is Snapshot['volumes'][number] {
  if (!isRecord(value)) return false
  const { file, destination } = value
  return /^(?!\.{1,2}$)[^/\\\0]+$/.test(text(file)) && text(destination).startsWith('/')
}

function parseVerification(value: unknown): Snapshot['verified'] {
  if (!isRecord(value) || (value.outcome !== 'passed' && value.outcome !== 'failed')) return null
  return {
    at: text(value.at),
    outcome: value.outcome,
    check: typeof value.check === 'string' ? value.check : null,
    detail: text(value.detail),
  }
}

/** What can't be read counts as not known, never as none. */
function parseSession(value: unknown): Pick<Snapshot, 'session'> {
  return value === null ? { session: null } : { session: parseSessionMark(value) ?? undefined }
}

/**
 * Reads a record of any version tolerantly; null when it has no usable id or reference, or names a volume that
 * can't be read back, since resuming without it would look like success. Pure.
 */
export function parseSnapshot(value: Readonly<Record<string, unknown>>): Snapshot | null {
  const id = text(value.id)
  const reference = text(value.reference)
  const volumes = list(value.volumes)
  if (!isSnapshotId(id) || !reference || !volumes.every(isVolumePart)) return null
  const fidelity =
    value.fidelity === 'files+volumes' || value.fidelity === 'files+memory' ? value.fidelity : 'files'
  return {
    ...(value as Partial<Snapshot>),
    version: 1,
    id,
    slug: text(value.slug),
    parent: typeof value.parent === 'string' ? value.parent : null,
    backend: text(value.backend) || 'docker',
    reference,
    digest: text(value.digest),
    createdAt: text(value.createdAt),
    fidelity,
    leftOut: list(value.leftOut).map(text),
    bytes: count(value.bytes),
    ownBytes: typeof value.ownBytes === 'number' ? value.ownBytes : null,
    reason: (REASONS.includes(text(value.reason)) ? value.reason : 'user') as Snapshot['reason'],
    note: text(value.note),
    label: text(value.label),
    pinned: value.pinned === true,
    status: value.status === 'in-doubt' ? 'in-doubt' : 'ready',
    runId: typeof value.runId === 'string' ? value.runId : null,
    agent: text(value.agent),
    provider: text(value.provider),
    volumes,
    verified: parseVerification(value.verified),
    ...parseSession(value.session),
    facts: isRecord(value.facts) ? value.facts : {},
  }
}

/** All snapshots of a bottle, oldest first; damaged records are set aside and named in `damaged`. */
export async function readSnapshots(
  root: StateRoot,
  slug: string,
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly damaged: readonly string[] }> {
  const folder = root.path('state', slug, 'snapshots')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [] as string[]
    throw error
  })
  const snapshots: Snapshot[] = []
  const damaged: string[] = []
  await Promise.all(
    names
      .filter((name) => name.endsWith('.json') && isSnapshotId(name.slice(0, -5)))
      .map(async (name) => {
        const file = root.path('state', slug, 'snapshots', name)
        const read = await readJsonObject(file)
        const snapshot = read.kind === 'ok' ? parseSnapshot(read.value) : null
        if (snapshot?.id === name.slice(0, -5)) snapshots.push({ ...snapshot, slug })
        else if (read.kind !== 'absent') {
          await quarantine(root.dir, file).catch(() => undefined)
          damaged.push(file)
        }
      }),
  )
  snapshots.sort(byTime)
  return { snapshots, damaged }
}

/** Oldest first. Ids tell seconds only, and two freezes fit into one. */
function byTime(a: Snapshot, b: Snapshot): number {
  const keys = (snapshot: Snapshot) => [snapshot.id.slice(0, 16), snapshot.createdAt, snapshot.id].join(' ')
  return keys(a) < keys(b) ? -1 : 1
}

/**
 * Writes a record durably. The bottle's folder must be there: one that was destroyed meanwhile stays gone.
 * @throws BottleError `unsupported` when a newer Icebox wrote the record
 */
export async function writeSnapshot(root: StateRoot, snapshot: Snapshot): Promise<void> {
  const bottle = root.path('state', snapshot.slug)
  const file = root.path('state', snapshot.slug, 'snapshots', `${snapshot.id}.json`)
  if (await makeFolder(root.path('state', snapshot.slug, 'snapshots'))) await syncFolder(bottle)
  const known = await readJsonObject(file)
  if (known.kind === 'ok' && typeof known.value.version === 'number' && known.value.version > 1) {
    throw bottleError(
      'unsupported',
      `${snapshot.slug}@${snapshot.id} was written by a newer Icebox; this one only reads it. Update Icebox.`,
      { slug: snapshot.slug },
    )
  }
  await writeDurable(file, recordText(snapshot))
  notifyChange(root, snapshot.slug)
}

/** True when it was made now. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function recordText(snapshot: Snapshot): string {
  return `${JSON.stringify(snapshot, null, 2)}\n`
}

/** Removes a record; what it named is the backend's business, and goes after it. */
export async function removeSnapshotRecord(root: StateRoot, slug: string, id: string): Promise<void> {
  await removeDurable(root.path('state', slug, 'snapshots', `${id}.json`))
  notifyChange(root, slug)
}

export type CommittedImage =
  | { readonly kind: 'absent' }
  | { readonly kind: 'ok'; readonly reference: string }
  | { readonly kind: 'corrupt'; readonly file: string }

/** Reads `committed-image`: one line naming an image tag or an absolute path. Source: bot-bottle.md §4, case 16. */
export async function readCommittedImage(root: StateRoot, slug: string): Promise<CommittedImage> {
  const file = root.path('state', slug, 'committed-image')
  const content = await readText(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EISDIR') return ''
    throw error
  })
  if (content === undefined) return { kind: 'absent' }
  const reference = content.trim()
  const isPath = reference.startsWith('/')
  // A path may hold blanks; a tag may not. Neither may hold control characters or what UTF-8 could not decode.
  const isPlain = isPath ? !/[\p{Cc}\uFFFD]/u.test(reference) : /^[\w][\w./:@-]*$/.test(reference)
  return reference && reference.length < 4096 && isPlain
    ? { kind: 'ok', reference }
    : { kind: 'corrupt', file }
}

/** Switches what the bottle resumes from: one line and a newline, atomically. */
export async function writeCommittedImage(root: StateRoot, slug: string, reference: string): Promise<void> {
  await writeDurable(root.path('state', slug, 'committed-image'), `${reference}\n`, 0o644)
  notifyChange(root, slug)
}

/** From now on the bottle has no snapshot to resume from. */
export async function clearCommittedImage(root: StateRoot, slug: string): Promise<void> {
  await removeDurable(root.path('state', slug, 'committed-image'))
  notifyChange(root, slug)
}

/** Touches `.preserve`, which keeps bot-bottle's cleanup away; never cleared before destroy. */
export async function markPreserved(root: StateRoot, slug: string): Promise<void> {
  await writeFile(root.path('state', slug, '.preserve'), '', { flag: 'a', mode: 0o644 })
}

/** The snapshot that `committed-image` names, null when none is named or no record knows it. */
export function currentSnapshot(snapshots: readonly Snapshot[], committed: CommittedImage): Snapshot | null {
  if (committed.kind !== 'ok') return null
  return snapshots.findLast((snapshot) => snapshot.reference === committed.reference) ?? null
}

/**
 * Finds a snapshot by id, by `latest`, or by the start of an id if that is clear.
 * @throws BottleError `snapshot-missing`
 */
export function pickSnapshot(slug: string, snapshots: readonly Snapshot[], wanted: string): Snapshot {
  const found =
    wanted === 'latest'
      ? snapshots.at(-1)
      : (snapshots.find((snapshot) => snapshot.id === wanted) ??
        (wanted.length >= 4
          ? single(snapshots.filter((snapshot) => snapshot.id.startsWith(wanted)))
          : undefined))
  if (found) return found
  const known = snapshots.map((snapshot) => snapshot.id).join(', ') || 'none'
  throw bottleError(
    'snapshot-missing',
    `${slug} has no snapshot ${JSON.stringify(wanted)}. It has: ${known}.`,
    { slug },
  )
}

function single<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined
}
