import type { ImageInspectInfo } from 'dockerode'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { runConfig } from '../../images/run-config.ts'
import type { PortableImage } from '../../portable.ts'
import type { Engine } from '../engine.ts'
import { committedPrefix } from '../labels.ts'
import { type ImageLayers, layersOfImages, listImages, requireImage } from './image-index.ts'

/** A snapshot's image as other engines and archives know it. @throws BottleError `snapshot-missing`, `engine-down` */
export async function describeSnapshot(
  engine: Engine,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<PortableImage> {
  const found = await requireImage(engine, snapshot, signal)
  const diffIds = found.RootFS?.Layers ?? []
  const variant = (found as ImageInspectInfo & { readonly Variant?: string }).Variant
  const recorded = snapshot.facts.baseLayers
  return {
    platform: { os: found.Os, architecture: found.Architecture, ...(variant ? { variant } : {}) },
    config: runConfig(found.Config),
    createdAt: isoDate(found.Created) ?? isoDate(snapshot.createdAt) ?? new Date(0).toISOString(),
    diffIds,
    baseLayers:
      typeof recorded === 'number' && Number.isInteger(recorded) && recorded >= 0
        ? Math.min(recorded, diffIds.length)
        : await guessBase(engine, diffIds, signal),
    bytes: found.Size,
  }
}

/** To the millisecond, so that it stays the same however often it is read and written. */
function isoDate(text: string | undefined): string | null {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

/** For records that don't tell: the tallest image below this one that is somebody's and no snapshot. */
async function guessBase(engine: Engine, diffIds: readonly string[], signal: AbortSignal): Promise<number> {
  const rows = await listImages(engine, false, signal)
  const named = rows.filter(({ RepoTags }) =>
    (RepoTags ?? []).some((tag) => tag !== '<none>:<none>' && !tag.startsWith(committedPrefix)),
  )
  const layers = await layersOfImages(
    engine,
    named.map((row) => row.Id),
    signal,
  )
  return tallestBelow(diffIds, [...layers.values()])
}

/** Pure: how many layers the largest of these images has that lies wholly at the bottom of the chain. */
export function tallestBelow(
  diffIds: readonly string[],
  images: readonly Pick<ImageLayers, 'diffIds'>[],
): number {
  let tallest = 0
  for (const { diffIds: own } of images) {
    const isBelow = own.length <= diffIds.length && own.every((diffId, at) => diffId === diffIds[at])
    if (isBelow && own.length > tallest) tallest = own.length
  }
  return tallest
}

/** How many of these layers, from the bottom, some image of the daemon has in that order. @throws BottleError */
export async function countHeldLayers(
  engine: Engine,
  diffIds: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const rows = await listImages(engine, true, signal)
  const layers = await layersOfImages(
    engine,
    rows.map((row) => row.Id),
    signal,
  )
  return longestHeld(diffIds, [...layers.values()])
}

/** Pure: the longest beginning that the chain shares with one of these images. */
export function longestHeld(
  diffIds: readonly string[],
  images: readonly Pick<ImageLayers, 'diffIds'>[],
): number {
  let longest = 0
  for (const { diffIds: own } of images) {
    let shared = 0
    while (shared < diffIds.length && diffIds[shared] === own[shared]) shared++
    longest = Math.max(longest, shared)
  }
  return longest
}
