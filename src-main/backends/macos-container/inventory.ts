import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { Inventory, RemoveResult } from '../backend.ts'
import { committedPrefix, LABEL, labelOf, snapshotTag } from '../labels.ts'
import { listContainers } from './containers.ts'
import type { ContainerContext } from './context.ts'
import { forgetConfig } from './image-config.ts'
import { fullReference, inspectImage, listImages, removeImage, type StoredImage } from './images.ts'

const PREFIX = fullReference('x').replace(/x:latest$/, '')

/** Everything on the engine that carries a root's marks. @throws BottleError */
export async function takeInventory(
  context: ContainerContext,
  rootId: string,
  signal: AbortSignal,
): Promise<Inventory> {
  const [containers, images] = await Promise.all([
    listContainers(context.client, signal),
    listImages(context.client, signal),
  ])
  return {
    containers: containers
      .filter(({ labels }) => labelOf(labels, LABEL.root) === rootId)
      .map(({ id, labels }) => {
        return { id, name: id, slug: labelOf(labels, LABEL.slug), runId: labelOf(labels, LABEL.run) }
      }),
    images: images.flatMap((image) => {
      const labels = labelsOfImage(image)
      const isSnapshot = labelOf(labels, LABEL.snapshotRoot) === rootId
      if (!isSnapshot && labelOf(labels, LABEL.buildRoot) !== rootId) return []
      const reference = shortReference(image.reference)
      // A bottle's own image inherits its base's labels; only what has a snapshot's name is one.
      const isNamed = isSnapshot && reference.startsWith(committedPrefix)
      const record = isNamed ? labelOf(labels, LABEL.record) : null
      return [
        {
          reference,
          slug: slugInRecord(record) ?? labelOf(labels, LABEL.buildSlug),
          snapshotId: isNamed ? labelOf(labels, LABEL.snapshot) : null,
          record,
        },
      ]
    }),
    volumes: [],
    networks: [],
  }
}

/** Pure: a local name as records have it; others stay. */
export function shortReference(reference: string): string {
  const local = fullReference(reference)
  return local.startsWith(`${PREFIX}${committedPrefix}`) ? local.slice(PREFIX.length) : local
}

function labelsOfImage(image: StoredImage): Readonly<Record<string, string>> {
  for (const { config } of image.variants) {
    const labels = config.Labels
    if (typeof labels === 'object' && labels !== null) return labels as Record<string, string>
  }
  return {}
}

function slugInRecord(record: string | null): string | null {
  if (!record) return null
  try {
    const { slug } = JSON.parse(record) as { slug?: unknown }
    return typeof slug === 'string' ? slug : null
  } catch {
    return null
  }
}

/** Takes a snapshot's image away, if it is this root's or the one that the record names. @throws BottleError */
export async function discardSnapshotImage(
  context: ContainerContext,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const reference = shortReference(snapshot.reference)
  // A record names only tags of ours; anything else is somebody's image.
  if (!reference.startsWith(committedPrefix))
    return { removed: [], left: [`image ${reference} (not made by a freeze)`] }
  const found = await inspectImage(context.client, reference, signal)
  if (!found) return { removed: [], left: [] }
  const owner = labelOf(labelsOfImage(found), LABEL.snapshotRoot)
  if (owner !== null && owner !== context.rootId && found.digest !== snapshot.digest)
    return { removed: [], left: [] }
  try {
    await removeImage(context.client, reference, signal)
    for (const { platform } of found.variants) await forgetConfig(context.home, { ...found, platform })
    return { removed: [`image ${reference}`], left: [] }
  } catch (thrown) {
    const failed = toFailure(thrown)
    if (failed.code !== 'engine-failed' && failed.code !== 'busy') throw thrown
    return { removed: [], left: [`image ${reference} (${failed.detail ?? failed.message})`] }
  }
}

/** Gives an image that another program made a snapshot's own name, keeping the old one; null when it is gone. */
export async function tagSnapshotImage(
  context: ContainerContext,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<{ readonly reference: string; readonly digest: string } | null> {
  const found = await inspectImage(context.client, snapshot.reference, signal)
  if (!found) return null
  const reference = snapshotTag(snapshot.slug, snapshot.id)
  await context.client.run(['image', 'tag', fullReference(found.reference), fullReference(reference)], signal)
  return { reference, digest: found.digest }
}
