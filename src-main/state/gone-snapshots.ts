import type { Snapshot } from '../../src-preload/contract/index.ts'
import { readJsonObject, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'snapshots', 'gone.json')
}

/**
 * Deleted snapshots of a bottle and their parents, so that a tree can bridge the gap. Only for showing: a damaged
 * file reads as empty.
 */
export async function readGone(root: StateRoot, slug: string): Promise<ReadonlyMap<string, string | null>> {
  const read = await readJsonObject(file(root, slug))
  if (read.kind !== 'ok') return new Map()
  return new Map(
    Object.entries(read.value).map(([id, parent]) => [id, typeof parent === 'string' ? parent : null]),
  )
}

/** Remembers the parent of a snapshot that is about to go. The caller holds the bottle's lock. */
export async function noteGone(root: StateRoot, snapshot: Snapshot): Promise<void> {
  const known = await readGone(root, snapshot.slug)
  const next = Object.fromEntries([...known, [snapshot.id, snapshot.parent]])
  await writeDurable(file(root, snapshot.slug), `${JSON.stringify(next)}\n`)
}
