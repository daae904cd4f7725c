import { readdir, rename, rm } from 'node:fs/promises'
import type { Snapshot, TrashEntry } from '../../src-preload/contract/index.ts'
import { notifyChange } from './changes.ts'
import { readJsonObject, syncFolder, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'
import { isSlug } from './slug.ts'
import { parseSnapshot } from './snapshot-files.ts'

const DAY_MS = 86_400_000
/** Days that a destroyed bottle waits. Source: product.md. */
export const TRASH_DAYS = 7

const NAME = /^(.+)-(\d{8}T\d{6}Z)(?:-\d+)?$/

/** The slug in a trash entry's name, or null for anything else that lies there. */
export function trashSlug(id: string): string | null {
  const slug = NAME.exec(id)?.[1]
  return slug && isSlug(slug) ? slug : null
}

/** Moves a bottle's state folder to the trash in one rename and returns the entry's id. */
export async function moveToTrash(root: StateRoot, slug: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  const facts = { version: 1, slug, destroyedAt: now.toISOString() }
  await writeDurable(root.path('state', slug, 'destroyed.json'), `${JSON.stringify(facts)}\n`)
  const taken = new Set(await readdir(root.path('trash')))
  let id = `${slug}-${stamp}`
  for (let n = 2; taken.has(id); n++) id = `${slug}-${stamp}-${n}`
  await rename(root.path('state', slug), root.path('trash', id))
  await syncFolder(root.path('trash'))
  await syncFolder(root.path('state'))
  notifyChange(root, slug)
  return id
}

/** Snapshots that wait in a trash entry. */
export async function trashedSnapshots(root: StateRoot, id: string): Promise<readonly Snapshot[]> {
  const folder = root.path('trash', id, 'snapshots')
  const names = await readdir(folder).catch(() => [] as string[])
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
export async function readTrash(root: StateRoot, days = TRASH_DAYS): Promise<readonly TrashEntry[]> {
  const ids = await readdir(root.path('trash')).catch(() => [] as string[])
  const entries = await Promise.all(
    ids.map(async (id): Promise<TrashEntry | null> => {
      const slug = trashSlug(id)
      if (!slug) return null
      const [read, snapshots] = await Promise.all([
        readJsonObject(root.path('trash', id, 'destroyed.json')),
        trashedSnapshots(root, id),
      ])
      const at =
        read.kind === 'ok' && typeof read.value.destroyedAt === 'string'
          ? read.value.destroyedAt
          : stampOf(id)
      return {
        id,
        slug,
        destroyedAt: at,
        purgeAfter: new Date(Date.parse(at) + days * DAY_MS).toISOString(),
        snapshots: snapshots.length,
        bytes: snapshots.reduce((sum, snapshot) => sum + (snapshot.ownBytes ?? snapshot.bytes), 0),
      }
    }),
  )
  return entries.filter((entry) => entry !== null).sort((a, b) => (a.destroyedAt < b.destroyedAt ? 1 : -1))
}

function stampOf(id: string): string {
  const stamp = NAME.exec(id)?.[2] ?? ''
  return stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
}

/** Slugs that a trash entry holds, so that a new bottle doesn't take them. */
export async function trashedSlugs(root: StateRoot): Promise<ReadonlySet<string>> {
  const ids = await readdir(root.path('trash')).catch(() => [] as string[])
  return new Set(ids.map(trashSlug).filter((slug) => slug !== null))
}

/** Puts an entry back under a slug whose state folder does not exist. */
export async function moveFromTrash(root: StateRoot, id: string, slug: string): Promise<void> {
  await rename(root.path('trash', id), root.path('state', slug))
  await syncFolder(root.path('state'))
  await syncFolder(root.path('trash'))
  await rm(root.path('state', slug, 'destroyed.json'), { force: true })
  notifyChange(root, slug)
}

/** Deletes an entry's files for good. */
export async function purgeTrashFiles(root: StateRoot, id: string): Promise<void> {
  const { removeTree } = await import('./remove-tree.ts')
  await removeTree(root.path('trash', id))
  await syncFolder(root.path('trash'))
}
