import type { BackendName } from '../../src-preload/contract/index.ts'
import type { PlannedRun } from '../agents/plan-run.ts'

/** A start does not wait longer for a registry; without an answer the image is taken by its tag. */
const ANSWER_MS = 5000

/**
 * Names a registry's image by its digest, for the engine that fetches it again whenever its machine is packed: a tag
 * that has moved by then would put other files below the bottle's own. Where the digest can't be had, the plan stays
 * as it is, and the preflight says so.
 */
export async function pinImage(
  planned: PlannedRun,
  backend: BackendName,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<PlannedRun> {
  const { image } = planned
  if (backend !== 'smolmachines' || image.kind !== 'image' || !isTagged(image.reference)) return planned
  const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  const reference = await digestReference(image.reference, env, patience).catch(() => null)
  signal.throwIfAborted()
  return reference === null ? planned : { ...planned, image: { kind: 'image', reference } }
}

/** False for a path, and for an image that has a digest already. Pure. */
function isTagged(reference: string): boolean {
  return !reference.includes('@') && !/^(\/|\.{1,2}\/)/.test(reference)
}

async function digestReference(
  text: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | null> {
  const [{ parseReference }, { openSession }, { findManifest }] = await Promise.all([
    import('../artifacts/registry/reference.ts'),
    import('../artifacts/registry/session.ts'),
    import('../artifacts/registry/manifests.ts'),
  ])
  const reference = parseReference(text)
  const session = await openSession(reference, 'pull', { env, retries: { attempts: 1, baseMs: 1 } }, signal)
  try {
    const found = await findManifest(session, reference.tag ?? 'latest', signal)
    return found && `${reference.host}/${reference.path}@${found.digest}`
  } finally {
    session.close()
  }
}
