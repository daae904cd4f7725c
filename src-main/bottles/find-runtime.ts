import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { latestRun, readMetadata } from '../state/metadata.ts'
import type { BottleDeps } from './deps.ts'

/**
 * The runtime that a bottle owns now, null for none: the recorded one if it is still there, else for a bottle
 * without our records the one that has its name and no owner.
 */
export async function ownedRuntime(
  deps: BottleDeps,
  slug: string,
  backend: Backend,
  signal: AbortSignal,
): Promise<RuntimeRef | null> {
  const read = await readMetadata(deps.root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  if (run?.ref) return (await backend.isThere(run.ref, signal)) ? run.ref : null
  const found = await backend.find(`bot-bottle-${slug}`, signal)
  if (!found) return null
  const owner = found.facts.root
  return owner === undefined || owner === '' || owner === null || owner === deps.root.id ? found : null
}
