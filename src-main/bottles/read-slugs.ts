import { readdir } from 'node:fs/promises'
import { isSlug } from '../state/slug.ts'
import type { BottleDeps } from './deps.ts'

/** Slugs of all state folders; a stray file is none. */
export async function readSlugs(deps: Pick<BottleDeps, 'root'>): Promise<readonly string[]> {
  const entries = await readdir(deps.root.path('state'), { withFileTypes: true })
  return entries.filter((entry) => !entry.isFile() && isSlug(entry.name)).map((entry) => entry.name)
}
