import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { WeighedSnapshot } from '../snapshots/account-sizes.ts'
import { readSnapshots } from '../state/snapshot-files.ts'
import { readTrash, trashedSnapshots } from '../state/trash.ts'
import { bottleError, toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'

interface Known {
  readonly snapshot: Snapshot
  readonly isTrashed: boolean
}

export interface Weighing {
  readonly weighed: readonly WeighedSnapshot[]
  /** Engines that could not be asked: their snapshots are not in `weighed`, and nothing about them is guessed. */
  readonly notices: readonly string[]
}

/** Asks each engine once what its snapshots weigh, those in the trash included. */
export async function weighSnapshots(deps: BottleDeps, signal: AbortSignal): Promise<Weighing> {
  const weighed: WeighedSnapshot[] = []
  const notices: string[] = []
  for (const [backendName, known] of byBackend(await readAll(deps))) {
    try {
      const backend = await deps.backends.get(backendName)
      const portable = await backend.portable()
      // A trashed host snapshot is a folder in the trash, which is measured there.
      const asked = backendName === 'host' ? known.filter(({ isTrashed }) => !isTrashed) : known
      const sizes = await portable.sizes(
        asked.map(({ snapshot }) => snapshot),
        signal,
      )
      // By place: an imported snapshot keeps its id, so two bottles may have the same one.
      for (const [at, { snapshot, isTrashed }] of asked.entries()) {
        const answer = sizes[at]
        if (answer?.snapshotId !== snapshot.id) {
          throw bottleError('internal', `${backendName} answered for other snapshots than it was asked for.`)
        }
        const own = isTrashed || backendName === 'host' ? [] : partsOf(snapshot)
        weighed.push({
          slug: snapshot.slug,
          isTrashed,
          backend: backendName,
          sizes: { ...answer, layers: [...answer.layers, ...own] },
        })
      }
    } catch (thrown) {
      if (signal.aborted) throw thrown
      notices.push(`Snapshots on ${backendName} could not be weighed: ${toFailure(thrown).message}`)
    }
  }
  return { weighed, notices }
}

/** Volumes lie beside the record, on this machine; those of trashed snapshots are measured with the trash. */
function partsOf({ slug, id, volumes }: Snapshot): WeighedSnapshot['sizes']['layers'] {
  const bytes = volumes.reduce((sum, part) => sum + part.bytes, 0)
  return bytes === 0 ? [] : [{ key: `volumes of ${slug}@${id}`, bytes }]
}

async function readAll(deps: BottleDeps): Promise<readonly Known[]> {
  const slugs = await readSlugs(deps)
  const live = await Promise.all(slugs.map(async (slug) => (await readSnapshots(deps.root, slug)).snapshots))
  const entries = await readTrash(deps.root)
  const trashed = await Promise.all(entries.map(({ id }) => trashedSnapshots(deps.root, id)))
  return [
    ...live.flat().map((snapshot) => ({ snapshot, isTrashed: false })),
    ...trashed.flat().map((snapshot) => ({ snapshot, isTrashed: true })),
  ]
}

function byBackend(known: readonly Known[]): ReadonlyMap<string, readonly Known[]> {
  const groups = new Map<string, Known[]>()
  for (const each of known) {
    const group = groups.get(each.snapshot.backend) ?? []
    group.push(each)
    groups.set(each.snapshot.backend, group)
  }
  return groups
}
