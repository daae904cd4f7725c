import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
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

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** Reads a record of any version tolerantly; null when it has no usable id or reference. Pure. */
export function parseSnapshot(value: Readonly<Record<string, unknown>>): Snapshot | null {
  const id = text(value.id)
  const reference = text(value.reference)
  if (!isSnapshotId(id) || !reference) return null
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
    reason: (text(value.reason) || 'user') as Snapshot['reason'],
    note: text(value.note),
    label: text(value.label),
    pinned: value.pinned === true,
    status: value.status === 'in-doubt' ? 'in-doubt' : 'ready',
    runId: typeof value.runId === 'string' ? value.runId : null,
    agent: text(value.agent),
    provider: text(value.provider),
    volumes: list(value.volumes) as Snapshot['volumes'],
    facts: typeof value.facts === 'object' && value.facts !== null ? (value.facts as Snapshot['facts']) : {},
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
        if (snapshot) snapshots.push({ ...snapshot, slug })
        else if (read.kind !== 'absent') {
          await quarantine(root.dir, file).catch(() => undefined)
          damaged.push(file)
        }
      }),
  )
  snapshots.sort((a, b) => (a.id < b.id ? -1 : 1))
  return { snapshots, damaged }
}

/** Writes a record durably. */
export async function writeSnapshot(root: StateRoot, snapshot: Snapshot): Promise<void> {
  const folder = root.path('state', snapshot.slug, 'snapshots')
  if (await mkdir(folder, { recursive: true, mode: 0o700 }))
    await syncFolder(root.path('state', snapshot.slug))
  await writeDurable(
    root.path('state', snapshot.slug, 'snapshots', `${snapshot.id}.json`),
    recordText(snapshot),
  )
  notifyChange(root, snapshot.slug)
}

function recordText(snapshot: Snapshot): string {
  return `${JSON.stringify(snapshot, null, 2)}\n`
}

/** Removes a record and the folder beside it; the engine's part is the backend's business. */
export async function removeSnapshotFiles(root: StateRoot, slug: string, id: string): Promise<void> {
  await rm(root.path('state', slug, 'snapshots', `${id}.d`), { recursive: true, force: true })
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
  const content = await readText(file)
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
