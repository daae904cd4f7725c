import type { RuntimeRef } from '../backend.ts'
import { LABEL, labelOf } from '../labels.ts'
import { inspectContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'

/**
 * The container that a record names, null when it is gone. A name comes back with a later run, so the run has to be
 * the same too; an adopted container has none. @throws BottleError
 */
export async function ownContainer(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ContainerEntry | null> {
  const found = await inspectContainer(context.client, ref.id, signal)
  return found && isOfRun(found, context.rootId, ref.runId) ? found : null
}

/** Pure: without an owner it is an adopted or a legacy one, which is known by its id alone. */
export function isOfRun(entry: ContainerEntry, rootId: string, runId: string): boolean {
  const root = labelOf(entry.labels, LABEL.root)
  return root === null || (root === rootId && labelOf(entry.labels, LABEL.run) === runId)
}
