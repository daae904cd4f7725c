import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { latestRun, readMetadata } from '../state/metadata.ts'
import type { BottleDeps } from './deps.ts'

/** The engine's view of a recorded runtime, null when it is gone. On the host a pid is no lasting name. */
export function findRuntime(
  backend: Backend,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<RuntimeRef | null> {
  return backend.find(backend.name === 'host' ? ref.name : ref.id, signal)
}

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
  if (run?.ref) {
    const found = await findRuntime(backend, run.ref, signal)
    if (found && (found.runId === run.id || (read.kind === 'ok' && read.metadata.icebox?.adopted))) {
      // The record knows more than the engine can tell: base image facts, volumes, sidecars.
      return { ...found, ...run.ref, facts: { ...found.facts, ...run.ref.facts } }
    }
    return null
  }
  const found = await backend.find(`bot-bottle-${slug}`, signal)
  if (!found) return null
  const owner = found.facts.root
  return owner === undefined || owner === '' || owner === null || owner === deps.root.id ? found : null
}
