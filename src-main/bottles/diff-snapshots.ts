import type { DiffEntry, FileDiff, SnapshotDiff } from '../../src-preload/contract/index.ts'
import { compareTrees } from '../snapshots/diff/compare-trees.ts'
import { pathBytes, shownPath } from '../snapshots/diff/shown-path.ts'
import { summarise } from '../snapshots/diff/summarise.ts'
import { textDiff } from '../snapshots/diff/text-diff.ts'
import { comparePackages, type PackageList } from '../snapshots/packages/compare-packages.ts'
import { managerOf } from '../snapshots/packages/package-files.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { DiffPoint } from './artifact-services.ts'
import type { Comparison } from './diff-comparison.ts'
import { type ResolvedPoint, resolvePoint } from './diff-points.ts'
import type { OperationContext } from './services.ts'

/** Entries that a diff lists when the caller names no number. */
const ENTRIES = 10_000

/**
 * What differs between two snapshots, or a snapshot and a bottle as it is now: files, packages, config and volumes.
 * @throws BottleError `unsupported` for points on different backends, `snapshot-missing`, `engine-down`, `disk-full`
 */
export async function diffSnapshots(
  deps: ArtifactDeps,
  from: DiffPoint,
  to: DiffPoint,
  options: { readonly limit?: number | undefined },
  context: OperationContext,
): Promise<SnapshotDiff> {
  return withComparison(deps, from, to, [], context, async (comparison, points, notices) => {
    const changes = compareTrees(comparison.from, comparison.to)
    context.progress({ phase: 'comparing packages', current: null, total: null })
    const lists: PackageList[] = []
    for (const change of changes) {
      if (change.kind === 'metadata' || managerOf(change.path) === null) continue
      const [before, after] = [
        await comparison.packageList('from', change),
        await comparison.packageList('to', change),
      ]
      if (before === undefined || after === undefined) {
        notices.push(
          `Packages of ${shownPath(change.path)} could not be compared: its content is not at hand.`,
        )
      } else lists.push({ path: change.path, before, after })
    }
    return {
      from: points.from.name,
      to: points.to.name,
      ...summarise(changes, comparison.prefix, options.limit ?? ENTRIES),
      packages: comparePackages(lists),
      config: [...comparison.config],
      volumes: volumeChanges(points),
      notices: [...notices, ...comparison.notices],
    }
  })
}

/**
 * The text diff of one file of two points. The path is as a diff shows it.
 * @throws BottleError as `diffSnapshots`
 */
export async function diffFile(
  deps: ArtifactDeps,
  from: DiffPoint,
  to: DiffPoint,
  path: string,
  context: OperationContext,
): Promise<FileDiff> {
  const bytes = pathBytes(path)
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')
  return withComparison(deps, from, to, [bytes], context, async (comparison, points) => {
    const [before, after] = [await comparison.readFile('from', bytes), await comparison.readFile('to', bytes)]
    if (typeof before === 'string') return { path, text: null, reason: before }
    if (typeof after === 'string') return { path, text: null, reason: after }
    return textDiff(
      path,
      { name: points.from.name, content: before },
      { name: points.to.name, content: after },
    )
  })
}

interface Points {
  readonly from: ResolvedPoint
  readonly to: ResolvedPoint
}

async function withComparison<T>(
  deps: ArtifactDeps,
  from: DiffPoint,
  to: DiffPoint,
  paths: readonly string[],
  context: OperationContext,
  use: (comparison: Comparison, points: Points, notices: string[]) => Promise<T>,
): Promise<T> {
  const notices: string[] = []
  const points = {
    from: await resolvePoint(deps, from, notices, context.signal),
    to: await resolvePoint(deps, to, notices, context.signal),
  }
  if (points.from.backend.name !== points.to.backend.name) {
    throw bottleError(
      'unsupported',
      `${points.from.name} is on ${points.from.backend.name} and ${points.to.name} on ${points.to.backend.name}; snapshots of different backends can't be compared.`,
    )
  }
  if (points.from.backend.name === 'host') {
    const { compareFolders } = await import('./diff-folders.ts')
    return use(await compareFolders(deps, points.from, points.to, context.signal), points, notices)
  }
  const { compareImages } = await import('./diff-images.ts')
  return compareImages(deps, points.from, points.to, paths, context, (comparison) =>
    use(comparison, points, notices),
  )
}

/** Volumes whose content differs; a bottle as it is now does not tell. */
function volumeChanges({ from, to }: Points): DiffEntry[] {
  if (from.kind === 'now' || to.kind === 'now') return []
  const before = new Map(from.snapshot.volumes.map((part) => [part.destination, part]))
  const after = new Map(to.snapshot.volumes.map((part) => [part.destination, part]))
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path): DiffEntry[] => {
    const [was, is] = [before.get(path), after.get(path)]
    if (was?.sha256 === is?.sha256) return []
    const kind = was ? (is ? 'changed' : 'removed') : 'added'
    return [{ path, kind, type: 'folder', bytesBefore: was?.bytes ?? null, bytesAfter: is?.bytes ?? null }]
  })
}
