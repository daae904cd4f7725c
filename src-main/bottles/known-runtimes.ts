import { latestRun, readMetadata } from '../state/metadata.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'

/** Engine ids of the newest runs of all bottles. */
export async function readRuntimeIds(deps: BottleDeps): Promise<ReadonlySet<string>> {
  const slugs = await readSlugs(deps)
  const ids = await Promise.all(
    slugs.map(async (slug) => {
      const read = await readMetadata(deps.root, slug)
      return read.kind === 'ok' ? latestRun(read.metadata)?.ref?.id : undefined
    }),
  )
  return new Set(ids.filter((id) => id !== undefined))
}
