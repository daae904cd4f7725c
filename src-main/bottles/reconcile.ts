import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { Backend, Inventory } from '../backends/backend.ts'
import { readJsonObject } from '../state/durable-file.ts'
import { readIntent } from '../state/intent.ts'
import { parseMetadata, readMetadata } from '../state/metadata.ts'
import { isSlug } from '../state/slug.ts'
import { parseSnapshot, readSnapshots, writeSnapshot } from '../state/snapshot-files.ts'
import { readTrash, trashedSnapshots } from '../state/trash.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'

/** Everything that any record names, in this root's bottles and in its trash. */
interface Named {
  readonly runIds: ReadonlySet<string>
  readonly references: ReadonlySet<string>
  readonly volumes: ReadonlySet<string>
  readonly slugs: ReadonlySet<string>
  /** Slugs whose records can't be read: what is theirs can't be told. */
  readonly doubtful: ReadonlySet<string>
}

/** Things of this root on an engine that no record names: what a cleanup may take away. */
export interface Orphans {
  readonly containers: readonly string[]
  readonly images: readonly string[]
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
}

async function readNamed(deps: BottleDeps): Promise<Named> {
  const runIds = new Set<string>()
  const references = new Set<string>()
  const volumes = new Set<string>()
  const doubtful = new Set<string>()
  const slugs = await readSlugs(deps)
  for (const slug of slugs) {
    const [read, { snapshots }, intent] = await Promise.all([
      readMetadata(deps.root, slug),
      readSnapshots(deps.root, slug),
      readIntent(deps.root, slug),
    ])
    if (read.kind !== 'ok' || intent === 'corrupt') doubtful.add(slug)
    if (read.kind === 'ok') addMetadata(read.metadata, runIds, volumes)
    for (const snapshot of snapshots) references.add(snapshot.reference)
    if (intent && intent !== 'corrupt') {
      if (intent.runId) runIds.add(intent.runId)
      if (intent.target) references.add(intent.target)
    }
  }
  for (const entry of await readTrash(deps.root)) {
    const read = await readJsonObject(deps.root.path('trash', entry.id, 'metadata.json'))
    if (read.kind === 'ok') addMetadata(parseMetadata(read.value), runIds, volumes)
    // One deleted snapshot comes without its bottle's metadata.
    else if (entry.snapshot === undefined) doubtful.add(entry.slug)
    for (const snapshot of await trashedSnapshots(deps.root, entry.id)) references.add(snapshot.reference)
  }
  return { runIds, references, volumes, slugs: new Set(slugs), doubtful }
}

function addMetadata(
  metadata: ReturnType<typeof parseMetadata>,
  runIds: Set<string>,
  volumes: Set<string>,
): void {
  for (const run of metadata.icebox?.runs ?? []) runIds.add(run.id)
  for (const volume of metadata.icebox?.volumes ?? []) volumes.add(volume)
}

/** What of an inventory no record names. Pure. */
export function findOrphans(inventory: Inventory, named: Named): Orphans {
  const isStray = ({ slug, runId }: { readonly slug: string | null; readonly runId: string | null }) =>
    runId !== null &&
    !named.runIds.has(runId) &&
    (slug === null ? named.doubtful.size === 0 : !named.doubtful.has(slug))
  return {
    containers: inventory.containers.filter(isStray).map((item) => item.id),
    images: inventory.images
      .filter((item) => !named.references.has(item.reference))
      .map((item) => item.reference),
    volumes: inventory.volumes
      .filter((item) => isStray(item) && !named.volumes.has(item.name))
      .map((item) => item.name),
    networks: inventory.networks.filter(isStray).map((item) => item.name),
  }
}

/** Snapshot records that an image's label carries and the disk has lost; a bottle that is gone gets none. Pure. */
export function lostRecords(inventory: Inventory, named: Named): readonly Snapshot[] {
  return inventory.images.flatMap((image) => {
    if (named.references.has(image.reference) || !image.record || !image.slug) return []
    if (!isSlug(image.slug) || !named.slugs.has(image.slug)) return []
    try {
      const parsed = parseSnapshot(JSON.parse(image.record) as Record<string, unknown>)
      return parsed && parsed.reference === image.reference ? [{ ...parsed, slug: image.slug }] : []
    } catch {
      return []
    }
  })
}

/** Rebuilds lost snapshot records and tells what is left without a record. */
export async function reconcile(
  deps: BottleDeps,
  backend: Backend,
  signal: AbortSignal,
): Promise<{ readonly rebuilt: readonly Snapshot[]; readonly orphans: Orphans }> {
  const inventory = await backend.inventory(deps.root.id, signal)
  const named = await readNamed(deps)
  const rebuilt = lostRecords(inventory, named)
  for (const snapshot of rebuilt) await writeSnapshot(deps.root, snapshot)
  const references = new Set([...named.references, ...rebuilt.map((snapshot) => snapshot.reference)])
  return { rebuilt, orphans: findOrphans(inventory, { ...named, references }) }
}
