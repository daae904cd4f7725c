import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { Inventory, RemoveResult } from '../backend.ts'
import type { Engine } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { inspectImage } from './image-source.ts'
import { committedPrefix, isContainerName, LABEL, labelOf } from './labels.ts'
import { sweepBoots } from './portable/boot-scratch.ts'
import { readTransferTag, sweepTransferTags } from './portable/transfer-tags.ts'
import { removeTag, removeVolume } from './remove-objects.ts'

/**
 * Everything on the daemon that carries this root's marks. What transfers and checks of dead processes left is removed
 * first: nobody's work is in it. @throws BottleError
 */
export async function takeInventory(engine: Engine, rootId: string, signal: AbortSignal): Promise<Inventory> {
  // What can't be removed now waits for the next time; it names nobody's work, so it is no part of the answer.
  await Promise.allSettled([sweepBoots(engine, rootId, signal), sweepTransferTags(engine, rootId, signal)])
  const filters = { label: [`${LABEL.root}=${rootId}`] }
  const [containers, committed, built, { Volumes: volumes }, networks] = await engine.call(
    'take stock',
    signal,
    (docker, abortSignal) =>
      Promise.all([
        docker.listContainers({ all: true, filters, abortSignal }),
        docker.listImages({ filters: { label: [`${LABEL.snapshotRoot}=${rootId}`] }, abortSignal }),
        docker.listImages({ filters: { label: [`${LABEL.buildRoot}=${rootId}`] }, abortSignal }),
        docker.listVolumes({ filters, abortSignal }),
        docker.listNetworks({ filters, abortSignal }),
      ]),
  )
  const ownerOf = (labels: Readonly<Record<string, string>> | null | undefined) => ({
    slug: labelOf(labels, LABEL.slug),
    runId: labelOf(labels, LABEL.run),
  })
  const images = new Map([...committed, ...built].map((image) => [image.Id, image]))
  return {
    containers: containers.map(({ Id, Names, Labels }) => {
      return { id: Id, name: (Names[0] ?? '').replace(/^\//, ''), ...ownerOf(Labels) }
    }),
    images: [...images.values()].flatMap(({ Id, RepoTags, Labels }) => {
      const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>' && !readTransferTag(tag))
      const record = labelOf(Labels, LABEL.record)
      const slug = slugInRecord(record) ?? labelOf(Labels, LABEL.buildSlug)
      return (tags.length > 0 ? tags : [Id]).map((reference) => {
        const isSnapshot = reference.startsWith(committedPrefix)
        return {
          reference,
          slug,
          snapshotId: isSnapshot ? labelOf(Labels, LABEL.snapshot) : null,
          record: isSnapshot ? record : null,
        }
      })
    }),
    volumes: (volumes ?? []).map(({ Name, Labels }) => ({ name: Name, ...ownerOf(Labels) })),
    networks: networks.map(({ Name, Labels }) => ({ name: Name, ...ownerOf(Labels) })),
  }
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

/**
 * Takes a snapshot's tag away; an image that something still uses only loses the name. A tag that another root's
 * snapshot has is left alone. @throws BottleError
 */
export async function discardSnapshotImage(
  engine: Engine,
  rootId: string,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const { reference } = snapshot
  // A record names only tags of ours; anything else is somebody's image.
  if (!reference.startsWith(committedPrefix))
    return { removed: [], left: [`image ${reference} (not made by a freeze)`] }
  const found = await inspectImage(engine, reference, signal)
  if (!found) return { removed: [], left: [] }
  const owner = labelOf(found.Config?.Labels, LABEL.snapshotRoot)
  // What the record names by its content is ours even if the root has lost its id since.
  if (owner !== null && owner !== rootId && found.Id !== snapshot.digest) return { removed: [], left: [] }
  try {
    await removeTag(engine, reference, signal)
    return { removed: [`image ${reference}`], left: [] }
  } catch (thrown) {
    const failed = toFailure(thrown)
    if (failed.code !== 'engine-failed' && failed.code !== 'busy') throw thrown
    return { removed: [], left: [`image ${reference} (${failed.detail ?? failed.message})`] }
  }
}

/** Deletes volumes that carry this root's label; others and missing ones are left alone. @throws BottleError */
export async function discardOwnVolumes(
  engine: Engine,
  names: readonly string[],
  rootId: string,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const removed: string[] = []
  const left: string[] = []
  for (const name of new Set(names)) {
    if (!isContainerName(name)) continue
    try {
      const found = await engine.call(`look at volume ${name}`, signal, (docker, abortSignal) =>
        docker.getVolume(name).inspect({ abortSignal }),
      )
      if (labelOf(found.Labels, LABEL.root) !== rootId) continue
      await removeVolume(engine, name, signal)
      removed.push(`volume ${name}`)
    } catch (thrown) {
      if (isMissing(thrown)) continue
      const failed = toFailure(thrown)
      if (failed.code !== 'engine-failed' && failed.code !== 'busy') throw thrown
      left.push(`volume ${name} (${failed.detail ?? failed.message})`)
    }
  }
  return { removed, left }
}
