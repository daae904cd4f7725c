import type { Done } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { readTrash } from '../state/trash.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { purgeEntry } from './purge.ts'
import { type Orphans, reconcile } from './reconcile.ts'
import { recoverAll } from './recover.ts'
import type { OperationContext } from './services.ts'

interface EnginePart {
  readonly backend: Backend
  readonly orphans: Orphans
}

/**
 * Finishes what was cut off, rebuilds lost records, then, after one question, removes what no record names and
 * what has waited long enough in the trash. Bottles, snapshots and other roots are never touched.
 */
export async function cleanup(deps: BottleDeps, context: OperationContext): Promise<Done> {
  const { signal } = context
  const done: string[] = [...(await recoverAll(deps, signal))]
  const left: string[] = []
  const parts: EnginePart[] = []
  for (const backend of await deps.backends.installed()) {
    try {
      const { rebuilt, orphans } = await reconcile(deps, backend, signal)
      done.push(...rebuilt.map((snapshot) => `rebuilt the record of ${snapshot.slug}@${snapshot.id}`))
      parts.push({ backend, orphans })
    } catch (thrown) {
      if (isForeignProgram(backend, thrown)) continue
      left.push(`${backend.name} was not looked at: ${toFailure(thrown).message}`)
    }
  }
  const expired = (await readTrash(deps.root)).filter((entry) => entry.purgeAfter < new Date().toISOString())
  const plan = [
    ...parts.flatMap(({ orphans }) => Object.values(orphans).flat()),
    ...expired.map((entry) => `${entry.id} in the trash`),
  ]
  if (plan.length === 0) return { done, left, unrecoverable: [] }
  if (!(await context.confirm(`Remove for good: ${plan.join(', ')}?`))) {
    return { done, left: [...left, ...plan], unrecoverable: [] }
  }
  const unrecoverable: string[] = []
  for (const part of parts) await removeOrphans(deps, part, done, left, signal)
  for (const entry of expired) {
    const purged = await purgeEntry(deps, entry.id, signal)
    done.push(...purged.done)
    left.push(...purged.left)
    unrecoverable.push(...purged.unrecoverable)
  }
  return { done, left, unrecoverable }
}

/** True where the program turned out to be another one of that name: then the engine is not installed after all. */
function isForeignProgram(backend: Backend, thrown: unknown): boolean {
  return backend.name === 'smolmachines' && toFailure(thrown).code === 'engine-missing'
}

async function removeOrphans(
  deps: BottleDeps,
  { backend, orphans }: EnginePart,
  done: string[],
  left: string[],
  signal: AbortSignal,
): Promise<void> {
  for (const id of orphans.containers) {
    const ref: RuntimeRef | null = await backend.find(id, signal)
    if (!ref) continue
    const result = await backend.remove(ref, signal)
    done.push(...result.removed.map((name) => `removed ${name}`))
    left.push(...result.left)
  }
  const volumes = await backend.discardVolumes(orphans.volumes, deps.root.id, signal)
  done.push(...volumes.removed.map((name) => `removed volume ${name}`))
  left.push(...volumes.left)
  // An image without a record may hold the only copy of somebody's work, so it is told and never removed.
  left.push(...orphans.images.map((reference) => `image ${reference} has no record; it was kept`))
}
