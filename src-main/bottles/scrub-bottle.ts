import { scrubSnapshot } from '../artifacts/scrub/scrub.ts'
import type { Scrub } from '../artifacts/scrub/types.ts'
import { unsearchableNames } from '../artifacts/scrub/values.ts'
import type { ArtifactStore } from '../artifacts/store/types.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ScrubOptions } from './artifact-services.ts'
import type { CollectedBottle } from './collect-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * Searches what was collected for secrets and does with them what was chosen, before anything of it leaves.
 * @throws BottleError `secrets-found` without a choice and nobody to ask, `cancelled`
 */
export async function scrubBottle(
  deps: ArtifactDeps,
  choice: ScrubOptions,
  { stored, secrets }: CollectedBottle,
  store: ArtifactStore,
  context: OperationContext,
): ReturnType<Scrub> {
  context.progress({ phase: 'searching for secrets', current: null, total: null })
  tellUnsearchable(secrets, context)
  const workers = await deps.workers()
  const request = { store, workers, stored, secrets, choice: choice.scrub, ask: choice.onSecrets }
  return scrubSnapshot(request, context.signal)
}

/** Says which declared secrets no search can find. */
export function tellUnsearchable(
  secrets: CollectedBottle['secrets'],
  context: Pick<OperationContext, 'notice'>,
): void {
  const names = unsearchableNames(secrets)
  if (names.length === 0) return
  context.notice(`The values of ${names.join(', ')} are too short to be searched for.`)
}
