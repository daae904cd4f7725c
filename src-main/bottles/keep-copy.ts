import type { Snapshot } from '../../src-preload/contract/index.ts'
import { putSnapshot } from '../artifacts/export/put-snapshot.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { withCollected } from './collect-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * Brings a snapshot into the artifact store, as the setting `keepPortableCopies` asks after each freeze, so that
 * an export has only to write it out. The agent runs on meanwhile and the snapshot is safe already, so what goes wrong is a notice.
 */
export async function keepPortableCopy(
  deps: ArtifactDeps,
  snapshot: Snapshot,
  context: OperationContext,
): Promise<void> {
  try {
    const options = { what: 'keep', codec: 'gzip', alsoWrittenTo: [] } as const
    await withCollected(deps, snapshot, options, context, async ({ stored }, { store }) => {
      await store.putImage((await putSnapshot(store, stored)).image)
    })
  } catch (thrown) {
    context.notice(
      `${snapshot.slug}@${snapshot.id} is frozen, but no portable copy was kept: ${toFailure(thrown).message}`,
    )
  }
}
