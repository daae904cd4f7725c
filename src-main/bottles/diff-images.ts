import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { RuntimeDifference } from '../backends/portable.ts'
import { applyDifferences } from '../snapshots/diff/apply-differences.ts'
import { compareConfigs } from '../snapshots/diff/compare-configs.ts'
import { nodeAt, type TreeNode } from '../snapshots/diff/layer-tree.ts'
import { TEXT_MAX } from '../snapshots/diff/text-diff.ts'
import { readImageTrees } from '../snapshots/layers/image-trees.ts'
import { readLayerFiles, readPackageLists } from '../snapshots/layers/layer-files.ts'
import { createLayerReader, type LayerSource } from '../snapshots/layers/layer-reader.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { type Comparison, nodeOf, noText, type SideName } from './diff-comparison.ts'
import type { ResolvedPoint } from './diff-points.ts'
import type { OperationContext } from './services.ts'

interface ImageSide {
  readonly source: LayerSource
  /** What a runtime changed since, on top of the image. */
  readonly differences: readonly RuntimeDifference[] | null
  readonly notices: readonly string[]
}

/** Images: layer by layer, from cached listings where they are there. `paths` are those that are looked up besides. */
export async function compareImages<T>(
  deps: ArtifactDeps,
  from: ResolvedPoint,
  to: ResolvedPoint,
  paths: readonly string[],
  context: OperationContext,
  use: (comparison: Comparison) => Promise<T>,
): Promise<T> {
  const { signal } = context
  const [store, workers, settings, ...both] = await Promise.all([
    deps.store(),
    deps.workers(),
    deps.settings(),
    imageSide(from, to, signal),
    imageSide(to, from, signal),
  ])
  const sides = { from: both[0], to: both[1] }
  const staging = await store.stage('diff')
  try {
    let current = 0
    const reader = createLayerReader({
      root: deps.root,
      store,
      workers,
      staging,
      floorBytes: Number(settings.all().minFreeMB) * 1_000_000,
      onBytes(bytes) {
        current += bytes
        context.progress({ phase: 'reading layers', current, total: null })
      },
    })
    const lookedUp = [
      ...paths.map((path) => ({ path, isWhole: false })),
      ...[sides.from, sides.to].flatMap((side) => (side.differences ?? []).map(lookUp)),
    ]
    const images = await readImageTrees(reader, sides.from.source, sides.to.source, lookedUp, signal)
    const points = { from, to }
    const grown = (side: SideName): TreeNode => {
      const { differences, source } = sides[side]
      if (!differences) return images[side]
      const beside = points[otherOf(side)]
      const frozen =
        beside.kind === 'snapshot'
          ? { tree: images[otherOf(side)], at: Date.parse(beside.snapshot.createdAt) / 1000 }
          : null
      return applyDifferences(images[side], differences, source.image.diffIds.length, frozen)
    }
    const trees = { from: grown('from'), to: grown('to') }
    /** Null for a file of the runtime itself, whose content no layer holds. */
    const layerOf = (side: SideName, node: TreeNode) => sides[side].source.image.diffIds[node.layer] ?? null
    return await use({
      ...trees,
      prefix: '/',
      config: compareConfigs(sides.from.source.image, sides.to.source.image),
      notices: [...sides.from.notices, ...sides.to.notices],
      async packageList(side, change) {
        const node = nodeOf(side, change)
        if (node?.entry?.kind !== 'f') return null
        const diffId = layerOf(side, node)
        if (diffId === null) return undefined
        const lists = await readPackageLists(workers, reader, sides[side].source, diffId, signal)
        return lists.get(node.entry.path)
      },
      async readFile(side, path) {
        const node = nodeAt(trees[side], path)
        if (!node) return null
        const reason = noText(node)
        if (reason !== null || !node.entry) return reason
        if (node.entry.size > TEXT_MAX) return 'The file is longer than 1 MB.'
        const wanted = node.entry
        // A file that the runtime has as it was frozen is read from there.
        const twin = nodeAt(trees[otherOf(side)], path)
        const isSame =
          twin?.entry?.kind === 'f' && twin.entry.hash === wanted.hash && wanted.hash !== 'unknown'
        for (const [name, each] of [
          [side, node] as const,
          ...(isSame && twin ? [[otherOf(side), twin] as const] : []),
        ]) {
          const diffId = layerOf(name, each)
          if (diffId === null || !each.entry) continue
          const inLayer = each.entry.path
          const isIt = (found: string) => found === inLayer
          const files = await readLayerFiles(workers, reader, sides[name].source, diffId, isIt, signal)
          return files.get(inLayer) ?? 'The file could not be read from its layer.'
        }
        return 'The bottle changed the file since; freeze it to compare its content.'
      },
    })
  } finally {
    await staging.release()
  }
}

const otherOf = (side: SideName): SideName => (side === 'from' ? 'to' : 'from')

const lookUp = ({ path, isFolder }: RuntimeDifference) => ({
  path: path.replace(/^\/+/, ''),
  isWhole: !isFolder,
})

async function imageSide(
  point: ResolvedPoint,
  other: ResolvedPoint,
  signal: AbortSignal,
): Promise<ImageSide> {
  if (point.kind === 'snapshot') {
    return { source: await sourceOf(point, point.snapshot, signal), differences: null, notices: [] }
  }
  const notices = [
    `${point.name} is told by its engine path by path: a file that was only touched counts as changed, and owners are not compared.`,
  ]
  return { ...(await readDifferences(point, other, signal)), notices }
}

async function sourceOf(point: ResolvedPoint, snapshot: Snapshot, signal: AbortSignal): Promise<LayerSource> {
  const portable = await point.backend.portable()
  const image = await portable.describe(snapshot, signal)
  const { diffIds } = image
  if (diffIds) return { snapshot, portable, image: { ...image, diffIds } }
  throw bottleError('unsupported', `${point.backend.name} does not tell the layers of its snapshots.`)
}

/** What a runtime changed since layers that a snapshot of the bottle has at its bottom, or all of whose it has. */
async function readDifferences(
  point: Extract<ResolvedPoint, { kind: 'now' }>,
  other: ResolvedPoint,
  signal: AbortSignal,
): Promise<{ readonly source: LayerSource; readonly differences: readonly RuntimeDifference[] }> {
  const portable = await point.backend.portable()
  const wanted = other.kind === 'snapshot' ? [other.snapshot] : []
  const sources: LayerSource[] = []
  for (const snapshot of new Set([...wanted, ...point.bases])) {
    try {
      const differences = await portable.differences?.(point.runtime, snapshot, signal)
      const source = await sourceOf(point, snapshot, signal)
      if (differences) return { source, differences }
      sources.push(source)
    } catch (thrown) {
      // An older snapshot whose image is gone is no reason not to try the next.
      if (!isBottleError(thrown) || thrown.code !== 'snapshot-missing') throw thrown
    }
  }
  const launch = await portable.changesSinceLaunch?.(point.runtime, signal)
  // Its first layers are those that the runtime stands on, whatever came on top since.
  const under = sources.find(({ image }) =>
    launch?.diffIds.every((diffId, at) => diffId === image.diffIds[at]),
  )
  if (launch && under) {
    const source = { ...under, image: { ...under.image, diffIds: launch.diffIds } }
    return { source, differences: launch.changes }
  }
  throw bottleError(
    'unsupported',
    `${point.backend.name} can't tell what ${point.name} has changed since its snapshots. Freeze it, then compare the snapshots.`,
    { slug: point.name },
  )
}
