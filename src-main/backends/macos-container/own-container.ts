import { isBottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef } from '../backend.ts'
import { LABEL, labelOf } from '../labels.ts'
import { inspectContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import type { ContainerEntry } from './decode.ts'

export type LookKind = 'now' | 'recent' | 'owner'

/** A name changes its owner only when a container is removed and another one made. */
const OWNER_MS = 5000

/**
 * The container that a record names, null when it is gone. A name comes back with a later run, so the run has to be
 * the same too; an adopted container has none.
 * @param kind `now` asks the engine; `recent` is content with what the same operation has just seen; `owner` is for
 *   whoever does not care in what state it is
 * @throws BottleError
 */
export async function ownContainer(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
  kind: LookKind = 'now',
): Promise<ContainerEntry | null> {
  const found = await lookAt(context, ref.id, signal, kind)
  return found && isOfRun(found, context.rootId, ref.runId) ? found : null
}

/** One container by its name, whoever owns it. @throws BottleError */
export async function lookAt(
  context: ContainerContext,
  id: string,
  signal: AbortSignal,
  kind: LookKind,
): Promise<ContainerEntry | null> {
  const ask = async () => {
    const askedAt = performance.now()
    const found = await inspectContainer(context.client, id, signal)
    context.looks.seen(id, found, askedAt)
    return found
  }
  if (kind === 'now') return ask()
  const known = context.looks.recent(id, kind === 'owner' ? OWNER_MS : undefined)
  if (known !== undefined) return known
  // Questions that come at the same time share one answer.
  const { asking } = context.looks
  const own = asking.get(id) ?? ask().finally(() => asking.delete(id))
  asking.set(id, own)
  try {
    return await own
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || thrown.code !== 'cancelled') throw thrown
    // Whoever asked first has given up.
    return ask()
  }
}

/** Pure: without an owner it is an adopted or a legacy one, which is known by its id alone. */
export function isOfRun(entry: ContainerEntry, rootId: string, runId: string): boolean {
  const root = labelOf(entry.labels, LABEL.root)
  return root === null || (root === rootId && labelOf(entry.labels, LABEL.run) === runId)
}
