import type { PushResult } from '../../src-preload/contract/index.ts'
import { putSnapshot } from '../artifacts/export/put-snapshot.ts'
import { findManifest } from '../artifacts/registry/manifests.ts'
import { pushImage } from '../artifacts/registry/push.ts'
import { parseReference, referenceText } from '../artifacts/registry/reference.ts'
import { openSession } from '../artifacts/registry/session.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ScrubOptions, SnapshotTarget } from './artifact-services.ts'
import { withCollected } from './collect-bottle.ts'
import { pickTarget } from './pick-target.ts'
import { scrubBottle } from './scrub-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * Sends a snapshot to a registry, with the credentials that `docker login` keeps. Only blobs that the registry lacks
 * travel; a push that broke goes on when it is started again. The tag is written last.
 * @throws BottleError `usage`, `permission`, `registry-failed`, `secrets-found`, `snapshot-missing`, `cancelled`, …
 */
export async function pushBottle(
  deps: ArtifactDeps,
  request: SnapshotTarget & ScrubOptions & { readonly reference: string },
  context: OperationContext,
): Promise<PushResult> {
  const reference = parseReference(request.reference)
  if (reference.digest !== null) {
    throw bottleError('usage', 'A push names a tag, not a digest: the digest is what comes of it.')
  }
  const snapshot = await pickTarget(deps, request)
  const { signal } = context
  const session = await openSession(reference, 'push', { env: deps.env }, signal)
  try {
    // A registry that does not let us in should say so before minutes of packing.
    await findManifest(session, reference.tag ?? 'latest', signal)
    const options = { what: 'push', codec: 'gzip', alsoWrittenTo: [] } as const
    return await withCollected(deps, snapshot, options, context, async (collected, { store }) => {
      const { stored } = await scrubBottle(deps, request, collected, store, context)
      const put = await putSnapshot(store, stored)
      const pushed = await pushImage(session, store, put, context.progress, signal)
      await store.putImage(put.image)
      return { reference: referenceText(reference), ...pushed }
    })
  } finally {
    session.close()
  }
}
