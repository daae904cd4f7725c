import type { SecretFinding } from '../../src-preload/contract/index.ts'
import { findSecrets } from '../artifacts/scrub/scrub.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { SnapshotTarget } from './artifact-services.ts'
import { withCollected } from './collect-bottle.ts'
import { pickTarget } from './pick-target.ts'
import { tellUnsearchable } from './scrub-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * What an export of a snapshot would ask about. The layers that are read for it stay in the store, so that the export
 * that follows has them.
 * @throws BottleError `snapshot-missing`, `engine-down`, `disk-full`, `cancelled`, …
 */
export async function searchSnapshotSecrets(
  deps: ArtifactDeps,
  target: SnapshotTarget,
  context: OperationContext,
): Promise<readonly SecretFinding[]> {
  const snapshot = await pickTarget(deps, target)
  const options = { what: 'search', codec: 'gzip', alsoWrittenTo: [] } as const
  return withCollected(deps, snapshot, options, context, async ({ stored, secrets }, { store }) => {
    context.progress({ phase: 'searching for secrets', current: null, total: null })
    tellUnsearchable(secrets, context)
    return findSecrets({ store, workers: await deps.workers(), stored, secrets }, context.signal)
  })
}
