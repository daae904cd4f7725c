import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { putSnapshot } from '../export/put-snapshot.ts'
import type { SnapshotFacts } from '../facts.ts'
import type { ArtifactStore, StoredLayer, StoredSnapshot } from '../store/types.ts'
import type { ReadImage } from './read-staged.ts'
import type { VerifiedContent, VerifiedLayer } from './verify-content.ts'

/** The facts of an image that Icebox did not make: that it is there, and nothing else. Pure. */
export function foreignFacts(snapshot: Snapshot): SnapshotFacts {
  return {
    version: 1,
    snapshot: {
      id: snapshot.id,
      parent: null,
      backend: snapshot.backend,
      createdAt: snapshot.createdAt,
      fidelity: snapshot.fidelity,
      leftOut: snapshot.leftOut,
      reason: 'imported',
      note: snapshot.note,
      label: snapshot.label,
      facts: {},
    },
    bottle: {
      slug: snapshot.slug,
      label: '',
      color: '',
      agent: '',
      provider: '',
      bottleNames: [],
      policy: 'default',
      secretNames: [],
      interactive: true,
    },
    definitions: { agents: {}, bottles: {} },
    volumes: [],
    baseLayers: 0,
    scrub: null,
  }
}

const stored = ({ diffId, contentBytes, codec, digest, size, isCanonical }: VerifiedLayer): StoredLayer => ({
  diffId,
  contentBytes,
  codec,
  digest,
  size,
  ...(isCanonical === undefined ? {} : { isCanonical }),
})

/**
 * Moves the verified layers and volumes into the store, where those that are there already are shared. Nothing names
 * them yet, so a later collection may take them. The staged files are gone afterwards.
 */
export async function adoptContent(
  store: ArtifactStore,
  image: ReadImage,
  content: VerifiedContent,
): Promise<void> {
  const places = [
    ...image.layers.map((layer, at) => ({ place: layer.place, verified: content.layers[at] ?? null })),
    ...image.volumes.map((volume, at) => ({ place: volume.place, verified: content.volumes[at] ?? null })),
  ]
  const done = new Set<string>()
  for (const { place, verified } of places) {
    if (!place || !verified || done.has(verified.digest)) continue
    done.add(verified.digest)
    if (place.isStaged) await store.adoptFile(place.file, verified.digest)
    if ((await store.findLayer(verified.diffId, verified.codec)) === null)
      await store.noteLayer(stored(verified))
  }
}

/** Names the imported image in the store, under its new bottle and snapshot. Only for one that is there whole. */
export async function nameImage(
  store: ArtifactStore,
  image: ReadImage,
  content: VerifiedContent,
  snapshot: Snapshot,
): Promise<void> {
  const layers = content.layers.filter((layer) => layer !== null)
  if (layers.length < content.layers.length) return
  const facts = image.facts ?? foreignFacts(snapshot)
  const whole: StoredSnapshot = {
    platform: image.platform,
    config: image.config,
    createdAt: image.createdAt,
    layers: layers.map(stored),
    baseLayers: facts.baseLayers,
    volumes: content.volumes.map((volume, at) => ({
      ...stored(volume),
      destination: facts.volumes[at]?.destination ?? '',
    })),
    facts: {
      ...facts,
      snapshot: { ...facts.snapshot, id: snapshot.id, parent: null, reason: 'imported' },
      bottle: { ...facts.bottle, slug: snapshot.slug },
    },
  }
  const put = await putSnapshot(store, whole)
  await store.putImage(put.image)
}
