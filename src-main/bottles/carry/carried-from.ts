import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { readGone } from '../../state/gone-snapshots.ts'
import { readMetadata } from '../../state/metadata.ts'
import { readSnapshots } from '../../state/snapshot-files.ts'
import type { BottleDeps } from '../deps.ts'

/** The snapshot of another backend that a snapshot was made of; kept in its facts. */
export interface CarriedFrom {
  readonly slug: string
  readonly snapshot: string
  readonly backend: string
}

/** Reads what a record tells of its origin; null for one that was not carried. Pure. */
export function carriedFrom({ facts }: Pick<Snapshot, 'facts'>): CarriedFrom | null {
  const told = facts.carriedFrom as Partial<CarriedFrom> | null | undefined
  if (typeof told !== 'object' || told === null) return null
  const { slug, snapshot, backend } = told
  const isWhole = typeof slug === 'string' && typeof snapshot === 'string' && typeof backend === 'string'
  return isWhole ? { slug, snapshot, backend } : null
}

/** Snapshots of the bottle that hold the same as one, each on a backend of its own. Pure. */
export function sameContent(source: Snapshot, known: readonly Snapshot[]): readonly Snapshot[] {
  const origin = carriedFrom(source)
  return known.filter((each) => {
    if (each.status !== 'ready' || (each.slug === source.slug && each.id === source.id)) return false
    if (origin && each.slug === origin.slug && each.id === origin.snapshot) return true
    const from = carriedFrom(each)
    return from?.slug === source.slug && from.snapshot === source.id
  })
}

/** A bottle's snapshots, and the parents of those that were deleted. */
export interface Lineage {
  readonly snapshots: readonly Snapshot[]
  readonly gone: ReadonlyMap<string, string | null>
}

/** The next older one that is still there; ids that are gone are bridged. Pure. */
function parentIn({ snapshots, gone }: Lineage, id: string | null): Snapshot | null {
  const seen = new Set<string>()
  let at = id
  while (at !== null && !seen.has(at)) {
    seen.add(at)
    const wanted = at
    const found = snapshots.find((known) => known.id === wanted)
    if (found) return found
    at = gone.get(wanted) ?? null
  }
  return null
}

/** The oldest of this machine's snapshots that one grew from, or the container's above it. Pure. */
function upToContainer(lineage: Lineage, snapshot: Snapshot): Snapshot {
  const seen = new Set<string>()
  let at = snapshot
  while (at.backend === 'host' && !seen.has(at.id)) {
    seen.add(at.id)
    const from = carriedFrom(at)
    const next = parentIn(lineage, from?.slug === at.slug ? from.snapshot : at.parent)
    if (!next) break
    at = next
  }
  return at
}

/** Containers' snapshots that others of this machine are laid over on their way back, with the reason to keep them. Pure. */
export function originsOf(lineage: Lineage): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>()
  for (const snapshot of lineage.snapshots) {
    if (snapshot.backend !== 'host') continue
    const origin = upToContainer(lineage, snapshot)
    if (origin.backend !== 'host') reasons.set(origin.id, `${snapshot.id} goes back to it`)
  }
  return reasons
}

/**
 * The container's snapshot that the files of a host bottle once came from: going back, they are laid over it. Followed
 * over parents, carried snapshots and forks; null when there is none any more.
 */
export async function containerOrigin(deps: BottleDeps, source: Snapshot): Promise<Snapshot | null> {
  const seen = new Set<string>()
  let at: Snapshot | null = source
  while (at && !seen.has(`${at.slug}@${at.id}`)) {
    seen.add(`${at.slug}@${at.id}`)
    const top = upToContainer(await readLineage(deps, at.slug), at)
    if (top.backend !== 'host') return top
    at = await elsewhere(deps, top)
  }
  return null
}

/** What came before the first snapshot of a bottle: another bottle's, where it was forked or first resumed from it. */
async function elsewhere(deps: BottleDeps, first: Snapshot): Promise<Snapshot | null> {
  const read = await readMetadata(deps.root, first.slug)
  const fork = read.kind === 'ok' ? read.metadata.icebox?.forkOf : null
  const from = carriedFrom(first) ?? fork
  if (!from || from.slug === first.slug) return null
  return parentIn(await readLineage(deps, from.slug), from.snapshot)
}

/** What a bottle's records tell of its snapshots' descent. */
export async function readLineage(deps: Pick<BottleDeps, 'root'>, slug: string): Promise<Lineage> {
  const [{ snapshots }, gone] = await Promise.all([readSnapshots(deps.root, slug), readGone(deps.root, slug)])
  return { snapshots, gone }
}
