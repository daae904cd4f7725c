import type { Snapshot } from '../../../src-preload/contract/index.ts'
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

/**
 * The container's snapshot that the files of a host bottle once came from: going back, they are laid over it. Followed
 * over parents, carried snapshots and forks; null when there is none any more.
 */
export async function containerOrigin(deps: BottleDeps, source: Snapshot): Promise<Snapshot | null> {
  const seen = new Set<string>()
  let at: Snapshot | null = source
  while (at && !seen.has(`${at.slug}@${at.id}`)) {
    if (at.backend !== 'host') return at
    seen.add(`${at.slug}@${at.id}`)
    at = await before(deps, at)
  }
  return null
}

async function before(deps: BottleDeps, snapshot: Snapshot): Promise<Snapshot | null> {
  const from = carriedFrom(snapshot)
  if (from) return find(deps, from.slug, from.snapshot)
  if (snapshot.parent !== null) return find(deps, snapshot.slug, snapshot.parent)
  const read = await readMetadata(deps.root, snapshot.slug)
  const fork = read.kind === 'ok' ? read.metadata.icebox?.forkOf : null
  return fork ? find(deps, fork.slug, fork.snapshot) : null
}

async function find(deps: BottleDeps, slug: string, id: string): Promise<Snapshot | null> {
  const { snapshots } = await readSnapshots(deps.root, slug)
  return snapshots.find((known) => known.id === id) ?? null
}
