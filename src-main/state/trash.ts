import { readdir, rename, rm } from 'node:fs/promises'
import type { Snapshot, TrashEntry } from '../../src-preload/contract/index.ts'
import { bottleError } from '../system/bottle-error.ts'
import { notifyChange } from './changes.ts'
import { isMissing, readJsonObject, syncFolder, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'
import { readTrashDays } from './settings.ts'
import { isSlug } from './slug.ts'
import { parseSnapshot } from './snapshot-files.ts'

const DAY_MS = 86_400_000
const NAME = /^(.+)-(\d{8}T\d{6}Z)(?:-\d+)?$/

/** The slug in a trash entry's name, or null for anything else that lies there. */
export function trashSlug(id: string): string | null {
  const slug = NAME.exec(id)?.[1]
  return slug && isSlug(slug) ? slug : null
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
}

/** An id that no entry has yet. */
export async function freeTrashId(root: StateRoot, slug: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  const taken = new Set(await readdir(root.path('trash')))
  let id = `${slug}-${stamp}`
  for (let n = 2; taken.has(id); n++) id = `${slug}-${stamp}-${n}`
  return id
}

/** Moves a bottle's state folder to the trash in one rename and returns the entry's id. */
export async function moveToTrash(root: StateRoot, slug: string, now: Date): Promise<string> {
  const facts = { version: 1, slug, destroyedAt: now.toISOString() }
  await writeDurable(root.path('state', slug, 'destroyed.json'), `${JSON.stringify(facts)}\n`)
  const id = await freeTrashId(root, slug, now)
  await rename(root.path('state', slug), root.path('trash', id))
  await syncFolder(root.path('trash'))
  await syncFolder(root.path('state'))
  notifyChange(root, slug)
  return id
}

/** Snapshots that wait in a trash entry. */
export async function trashedSnapshots(root: StateRoot, id: string): Promise<readonly Snapshot[]> {
  const folder = root.path('trash', id, 'snapshots')
  const names = await namesIn(folder)
  const read = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        const json = await readJsonObject(root.path('trash', id, 'snapshots', name))
        return json.kind === 'ok' ? parseSnapshot(json.value) : null
      }),
  )
  return read.filter((snapshot) => snapshot !== null)
}

/** All entries, newest first. */
export async function readTrash(root: StateRoot): Promise<readonly TrashEntry[]> {
  const [ids, days] = await Promise.all([namesIn(root.path('trash')), readTrashDays(root)])
  const entries = await Promise.all(
    ids.map(async (id): Promise<TrashEntry | null> => {
      const slug = trashSlug(id)
      if (!slug) return null
      const [read, snapshots] = await Promise.all([
        readJsonObject(root.path('trash', id, 'destroyed.json')),
        trashedSnapshots(root, id),
      ])
      const facts = read.kind === 'ok' ? read.value : {}
      const at = destroyedAt(id, facts.destroyedAt)
      return {
        id,
        slug,
        ...(typeof facts.snapshot === 'string' ? { snapshot: facts.snapshot } : {}),
        destroyedAt: at,
        purgeAfter: new Date(Date.parse(at) + days * DAY_MS).toISOString(),
        snapshots: snapshots.length,
        bytes: snapshots.reduce((sum, snapshot) => sum + (snapshot.ownBytes ?? snapshot.bytes), 0),
      }
    }),
  )
  return entries.filter((entry) => entry !== null).sort((a, b) => (a.destroyedAt < b.destroyedAt ? 1 : -1))
}

/** The recorded time, else the one in the name. Without either it counts as now: nothing is purged on a guess. */
function destroyedAt(id: string, recorded: unknown): string {
  const stamp = NAME.exec(id)?.[2] ?? ''
  const named = stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
  const isTime = (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value))
  if (typeof recorded === 'string' && isTime(recorded)) return new Date(recorded).toISOString()
  return isTime(named) ? named : new Date().toISOString()
}

/** Slugs that a trash entry holds, so that a new bottle doesn't take them. */
export async function trashedSlugs(root: StateRoot): Promise<ReadonlySet<string>> {
  const ids = await namesIn(root.path('trash'))
  return new Set(ids.map(trashSlug).filter((slug) => slug !== null))
}

/**
 * Puts an entry back under a slug whose state folder does not exist.
 * @throws BottleError `exists` when the slug was taken meanwhile, `not-found` when the entry has gone
 */
export async function moveFromTrash(root: StateRoot, id: string, slug: string): Promise<void> {
  await rename(requireEntry(root, id), root.path('state', slug)).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw bottleError('not-found', `The trash has no ${id} any more.`)
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw bottleError('exists', `${slug} was taken meanwhile. ${id} is still in the trash.`, { slug })
  })
  await syncFolder(root.path('state'))
  await syncFolder(root.path('trash'))
  await rm(root.path('state', slug, 'destroyed.json'), { force: true })
  notifyChange(root, slug)
}

/** Deletes an entry's files for good. */
export async function purgeTrashFiles(root: StateRoot, id: string): Promise<void> {
  const { removeTree } = await import('./remove-tree.ts')
  await removeTree(requireEntry(root, id))
  await syncFolder(root.path('trash'))
}

/** The path of an entry; an empty or made-up id must never name the whole trash. */
function requireEntry(root: StateRoot, id: string): string {
  if (trashSlug(id) === null) throw bottleError('not-found', `${JSON.stringify(id)} is no trash entry.`)
  return root.path('trash', id)
}
