import { isBottleError, toFailure } from '../../system/bottle-error.ts'
import type { RemoveResult, RuntimeRef } from '../backend.ts'
import { LABEL, labelOf } from '../labels.ts'
import { readFacts } from './container-facts.ts'
import { removeContainer } from './containers.ts'
import type { ContainerContext } from './context.ts'
import { removeImage } from './images.ts'
import { isOfRun, lookAt } from './own-container.ts'
import { removeRunFolder, runFolder } from './run-folder.ts'
import { requireStopped } from './run-life.ts'
import { closeTerminal } from './start.ts'

/**
 * Removes a run: container, terminal, its folder on this machine, the image that it built for itself. Missing things
 * are done; what could not be removed is named. @throws BottleError when the engine is away
 */
export async function removeRun(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const found = await lookAt(context, ref.id, signal, 'recent')
  const owner = labelOf(found?.labels, LABEL.root)
  if (found && owner !== null && owner !== context.rootId) {
    return { removed: [], left: [`${ref.name} (belongs to another state root)`] }
  }
  const removed: string[] = []
  const left: string[] = []
  const attempt = async (name: string, step: () => Promise<void>) => {
    try {
      await step()
      removed.push(name)
    } catch (thrown) {
      const failed = toFailure(thrown)
      if (['cancelled', 'engine-down', 'engine-missing'].includes(failed.code)) throw thrown
      left.push(`${name} (${failed.detail ?? failed.message})`)
    }
  }
  // A later run may have the name by now.
  if (found && isOfRun(found, context.rootId, ref.runId)) {
    await attempt(ref.name, async () => {
      try {
        await removeContainer(context.client, ref.id, signal)
      } catch (thrown) {
        // What is just ending can't be deleted, not even by force.
        if (!isBottleError(thrown) || thrown.code !== 'busy') throw thrown
        await requireStopped(context, ref, signal)
        await removeContainer(context.client, ref.id, signal)
      }
    })
  }
  const { socket, built } = readFacts(ref)
  await closeTerminal(context, socket)
  if (left.length === 0 && ref.runId) {
    await removeRunFolder(runFolder(context.home, ref.slug, ref.runId))
  }
  if (built) await attempt(`image ${built}`, () => removeImage(context.client, built, signal))
  context.changed()
  return { removed, left }
}
