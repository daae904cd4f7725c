import type { ImportResult } from '../../src-preload/contract/index.ts'
import { pullImage } from '../artifacts/registry/pull.ts'
import { parseReference } from '../artifacts/registry/reference.ts'
import { openSession } from '../artifacts/registry/session.ts'
import { isBottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { importStaged } from './import-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * Fetches an image from a registry and makes a frozen bottle of it, whoever pushed it. A pull that broke goes on
 * when it is started again; one whose content is refused leaves nothing.
 * @throws BottleError `usage`, `not-found`, `permission`, `registry-failed`, `artifact-invalid`, `disk-full`, …
 */
export async function pullBottle(
  deps: ArtifactDeps,
  request: { readonly reference: string; readonly label?: string | undefined },
  context: OperationContext,
): Promise<ImportResult> {
  const reference = parseReference(request.reference)
  const { signal, progress } = context
  const [store, settings] = await Promise.all([deps.store(), deps.settings()])
  const floorBytes = Number(settings.all().minFreeMB ?? 0) * 1_000_000
  const adopted = new Set<string>()
  const staging = await store.stage('pull')
  try {
    const session = await openSession(reference, 'pull', { env: deps.env }, signal)
    try {
      const onAdopted = (digest: string) => adopted.add(digest)
      const tools = { store, staging, floorBytes, onAdopted }
      const staged = await pullImage(session, tools, progress, signal)
      return await importStaged(deps, staged, { label: request.label }, context)
    } finally {
      session.close()
    }
  } catch (thrown) {
    await staging.release()
    if (isUseless(thrown, signal)) {
      await store.collect({ dryRun: false, only: adopted }, new AbortController().signal)
    }
    throw thrown
  } finally {
    await staging.release()
  }
}

/** True when trying again can't make use of what was fetched, or nobody wants it any more. */
function isUseless(thrown: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true
  return (
    isBottleError(thrown) &&
    ['artifact-invalid', 'cancelled', 'disk-full', 'unsupported'].includes(thrown.code)
  )
}
