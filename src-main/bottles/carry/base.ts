import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { Backend, LaunchPlan } from '../../backends/backend.ts'
import type { Portable, PortableImage } from '../../backends/portable.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { OperationContext } from '../services.ts'
import type { ContentRequest } from './content.ts'

/** What files of this machine are laid over. For an image that is no snapshot, a record that only names it. */
export interface Base {
  readonly snapshot: Snapshot
  readonly image: PortableImage
  readonly release: (signal: AbortSignal) => Promise<void>
}

const RELEASE_MS = 60_000

/** The container's snapshot that the files came from, else the bottle's own image. */
export async function withBase<T>(
  { crossing, base, context }: ContentRequest,
  use: (base: Base) => Promise<T>,
): Promise<T> {
  const { route } = crossing
  if (route.kind === 'layer' && route.origin && route.image) {
    return use({ snapshot: route.origin, image: route.image, release: async () => undefined })
  }
  const made = await base()
  try {
    return await use(made)
  } finally {
    await made.release(AbortSignal.timeout(RELEASE_MS)).catch((thrown: unknown) => {
      context.notice(`An image that was made for this is still there: ${String(thrown)}`)
    })
  }
}

/** The image of a plan as the backend makes it ready, else as Docker does. @throws BottleError `unsupported`, `image-missing`, … */
export async function baseOf(
  backends: readonly Backend[],
  source: Snapshot,
  plan: LaunchPlan,
  context: OperationContext,
): Promise<Base> {
  const maker = await findMaker(backends)
  if (!maker) {
    throw bottleError(
      'unsupported',
      `${backends[0]?.name ?? 'This backend'} can't make an image ready for files from elsewhere. With Docker installed it can be had from there.`,
    )
  }
  const { portable, backend } = maker
  const made = await maker.base(plan, context.progress, context.signal)
  // Under the source's id, so that whoever reads it says which snapshot it is for.
  const snapshot: Snapshot = {
    ...source,
    backend,
    reference: made.reference,
    digest: made.digest,
    volumes: [],
    fidelity: 'files',
    facts: {},
  }
  try {
    const image = await portable.describe(snapshot, context.signal)
    const whole = { ...image, baseLayers: image.diffIds?.length ?? 0 }
    return { snapshot, image: whole, release: made.release }
  } catch (thrown) {
    await made.release(AbortSignal.timeout(RELEASE_MS)).catch(() => undefined)
    throw thrown
  }
}

async function findMaker(backends: readonly Backend[]) {
  for (const backend of backends) {
    const portable: Portable = await backend.portable()
    const { base } = portable
    if (base) return { backend: backend.name, portable, base }
  }
  return null
}
