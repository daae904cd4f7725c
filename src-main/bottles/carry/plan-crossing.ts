import type { Difference, Snapshot } from '../../../src-preload/contract/index.ts'
import type { Backend } from '../../backends/backend.ts'
import { imageUser, NO_ACCOUNTS, needsAccounts } from '../../backends/images/image-user.ts'
import { placesOf } from '../../backends/images/tree-places.ts'
import type { PortableImage, RunConfig } from '../../backends/portable.ts'
import type { Metadata } from '../../state/metadata.ts'
import { readSnapshots } from '../../state/snapshot-files.ts'
import { isBottleError } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import type { PreparedRun } from '../prepare-run.ts'
import { carriedFrom, containerOrigin, sameContent } from './carried-from.ts'
import { findDifferences, type Wishes } from './differences.ts'
import { refusedBy } from './refused-by.ts'
import { thisMachine } from './this-machine.ts'

/** How a snapshot's files get to another backend. */
export type Route =
  /** Container to container: the same layers and config. */
  | { readonly kind: 'image'; readonly image: PortableImage }
  /** Container to this machine: its working folder and its home. */
  | { readonly kind: 'trees'; readonly image: PortableImage }
  /** This machine to a container: the two trees over a container's snapshot, or over the bottle's image. */
  | { readonly kind: 'layer'; readonly origin: Snapshot | null; readonly image: PortableImage | null }

/** A snapshot that is to go on on another backend; nothing has happened yet. */
export interface Crossing {
  readonly source: Snapshot
  /** Bottle that gets the new snapshot. */
  readonly slug: string
  readonly from: Backend
  readonly to: Backend
  readonly route: Route
  /** A snapshot there that holds the same already; null: one has to be made. */
  readonly ready: Snapshot | null
  readonly differences: readonly Difference[]
}

/** What a definition says of the container, on whatever backend it runs. */
export interface ContainerWishes {
  readonly workdir: string | null
  readonly user: string | null
  readonly home: string | null
}

/** Looks at both sides and names every difference. @throws BottleError where the source itself can't be read */
export async function planCrossing(
  deps: BottleDeps,
  slug: string,
  source: Snapshot,
  prepared: PreparedRun,
  metadata: Metadata,
  signal: AbortSignal,
): Promise<Crossing> {
  const to = prepared.backend
  const from = await deps.backends.get(source.backend)
  const ready = await readySnapshot(deps, slug, source, to, signal)
  const [fromReport, toReport, route] = await Promise.all([
    from.probe(signal),
    to.probe(signal),
    findRoute(deps, source, from, to, signal).catch((thrown: unknown): Route => {
      // With a copy at hand nothing has to be read from where it was made.
      if (ready && !signal.aborted) return { kind: 'layer', origin: null, image: null }
      throw thrown
    }),
  ])
  const wishes = containerWishes(prepared, metadata)
  const refused = await refusedBy(deps, slug, prepared, toReport, signal)
  const differences = findDifferences({
    source,
    from: fromReport,
    to: toReport,
    platform: route.image?.platform ?? null,
    here: thisMachine(),
    wishes: wishesOf(prepared, metadata),
    places: route.image ? placesIn(route.image.config, wishes) : null,
    over: overOf(route, prepared),
    isOriginLost: !ready && route.kind === 'layer' && !route.origin && wasContainer(source),
    isReady: ready !== null,
  })
  // What was told already is not told twice in other words.
  const isNew =
    refused !== null && !differences.some(({ about, blocks }) => blocks && about === refused.about)
  return {
    source,
    slug,
    from,
    to,
    route,
    ready,
    differences: isNew ? [refused, ...differences] : differences,
  }
}

/** The same content on that backend, if it is still there. */
async function readySnapshot(
  deps: BottleDeps,
  slug: string,
  source: Snapshot,
  to: Backend,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  const slugs = [...new Set([slug, source.slug, carriedFrom(source)?.slug ?? slug])]
  const known = await Promise.all(slugs.map(async (each) => (await readSnapshots(deps.root, each)).snapshots))
  const candidates = sameContent(source, known.flat()).filter(({ backend }) => backend === to.name)
  for (const candidate of [...candidates].reverse()) {
    try {
      await (await to.portable()).describe(candidate, signal)
      return candidate
    } catch (thrown) {
      if (signal.aborted) throw thrown
      // A copy that is gone is made again; an engine that is away is told by its report.
      if (!isBottleError(thrown)) throw thrown
    }
  }
  return null
}

async function findRoute(
  deps: BottleDeps,
  source: Snapshot,
  from: Backend,
  to: Backend,
  signal: AbortSignal,
): Promise<Route> {
  if (from.name !== 'host') {
    const image = await (await from.portable()).describe(source, signal)
    return { kind: to.name === 'host' ? 'trees' : 'image', image }
  }
  // Told at once when the trees are not there any more.
  await (await from.portable()).describe(source, signal)
  const origin = await containerOrigin(deps, source)
  if (!origin) return { kind: 'layer', origin: null, image: null }
  try {
    const portable = await (await deps.backends.get(origin.backend)).portable()
    return { kind: 'layer', origin, image: await portable.describe(origin, signal) }
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || thrown.code !== 'snapshot-missing') throw thrown
    return { kind: 'layer', origin: null, image: null }
  }
}

function wasContainer(source: Snapshot): boolean {
  const from = carriedFrom(source)
  return from !== null && from.backend !== 'host'
}

/** What the bottle's definition wants of a container. Pure. */
export function containerWishes(prepared: PreparedRun, metadata: Metadata): ContainerWishes {
  const bottle = prepared.resolved?.bottle
  return {
    workdir: bottle?.workdir ?? null,
    user: bottle?.user ?? null,
    home: prepared.planned.env.HOME ?? null,
    ...(bottle?.workdir || !metadata.copyCwd ? {} : { workdir: '/workspace' }),
  }
}

/** The config with what the definition puts over it. Pure. */
export function wishedConfig(config: RunConfig, wishes: ContainerWishes): RunConfig {
  const { workdir, user, home } = wishes
  return {
    ...config,
    WorkingDir: workdir ?? (config.WorkingDir || '/'),
    ...(user === null ? {} : { User: user }),
    ...(home === null ? {} : { Env: [...(config.Env ?? []), `HOME=${home}`] }),
  }
}

function placesIn(config: RunConfig, wishes: ContainerWishes) {
  const wished = wishedConfig(config, wishes)
  const user = needsAccounts(wished, null) ? null : imageUser(wished, NO_ACCOUNTS)
  const { workspace, home } = placesOf(wished, user?.home ?? null)
  return { workspace, home: user ? home : `the home of ${wished.User ?? ''}` }
}

/** What it wants of any backend. Pure. */
export function wishesOf(prepared: PreparedRun, metadata: Metadata): Wishes {
  const { planned, resolved, secretValues } = prepared
  const bottle = resolved?.bottle
  const resources = bottle?.resources
  return {
    network: planned.network,
    user: bottle?.user ?? null,
    mounts: bottle?.mounts ?? [],
    hasResources: Boolean(resources?.cpus ?? resources?.memoryBytes),
    sidecars: Object.keys(bottle?.sidecars ?? {}),
    forgeEnvNames: metadata.icebox?.forgeEnvNames ?? [],
    hasSecrets: Object.keys(secretValues).length > 0,
  }
}

function overOf(route: Route, { planned }: PreparedRun) {
  if (route.kind !== 'layer') return null
  const { origin } = route
  if (origin) return { kind: 'snapshot', name: `${origin.slug}@${origin.id}` } as const
  if (planned.image.kind === 'image') return { kind: 'image', name: planned.image.reference } as const
  if (planned.image.kind === 'build') return { kind: 'image', name: 'that its definition builds' } as const
  return null
}
