import { readdir } from 'node:fs/promises'
import { isSlug } from '../state/slug.ts'
import type { BottleDeps } from './deps.ts'

/** Slugs of all state folders. */
export async function readSlugs(deps: BottleDeps): Promise<readonly string[]> {
  const names = await readdir(deps.root.path('state'))
  return names.filter(isSlug)
}
