import { rm } from 'node:fs/promises'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { ANNOTATION, type Descriptor, type ImageManifest } from '../artifacts/oci.ts'
import { isDigest } from '../artifacts/store/blobs.ts'
import type { ArtifactStore } from '../artifacts/store/types.ts'
import { readJsonObject } from '../state/durable-file.ts'
import type { StateRoot } from '../state/root.ts'
import type { Workers } from '../workers/types.ts'

/** What is wrong with the volumes that lie beside a snapshot, as a sentence; null when all are as they were frozen. */
export async function volumeProblem(
  root: StateRoot,
  workers: Workers,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<string | null> {
  for (const part of snapshot.volumes) {
    const file = root.path('state', snapshot.slug, 'snapshots', `${snapshot.id}.d`, part.file)
    const found = await workers.hash(file, signal).catch((thrown: unknown) => {
      if (signal.aborted) throw thrown
      return null
    })
    if (!found) return `The volume ${part.destination} can't be read.`
    if (found.digest !== `sha256:${part.sha256}` || found.bytes !== part.bytes) {
      return `The volume ${part.destination} is not the one that was frozen.`
    }
  }
  return null
}

/**
 * Reads a snapshot's portable copy, if there is one, and removes blobs that are not what their names say: the next
 * export makes them again. Returns how many were removed.
 */
export async function removeSpoiltBlobs(
  store: ArtifactStore,
  workers: Workers,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<number> {
  const { manifests } = await store.readIndex()
  const own = manifests.filter(
    ({ annotations }) =>
      annotations?.[ANNOTATION.slug] === snapshot.slug && annotations[ANNOTATION.snapshot] === snapshot.id,
  )
  let removed = 0
  const seen = new Set<string>()
  for (const image of own) {
    for (const blob of await blobsOf(store, image)) {
      if (seen.has(blob.digest) || (await store.blobSize(blob.digest)) === null) continue
      seen.add(blob.digest)
      const file = store.blobPath(blob.digest)
      if ((await workers.hash(file, signal)).digest === blob.digest) continue
      await rm(file, { force: true })
      removed += 1
    }
  }
  // An image that lacks a blob is none, for other tools that read the store.
  if (removed > 0) await store.forget(snapshot.slug, snapshot.id)
  return removed
}

type Named = Pick<Descriptor, 'digest'>

async function blobsOf(store: ArtifactStore, image: Descriptor): Promise<readonly Named[]> {
  const manifests = [image, { digest: image.annotations?.[ANNOTATION.parts] }].filter(isNamed)
  const below = await Promise.all(manifests.map(({ digest }) => namedBy(store.blobPath(digest))))
  return [...manifests, ...below.flat()]
}

async function namedBy(manifest: string): Promise<readonly Named[]> {
  const read = await readJsonObject(manifest)
  if (read.kind !== 'ok') return []
  const { config, layers } = read.value as unknown as Partial<ImageManifest>
  return [config, ...(Array.isArray(layers) ? layers : [])].filter(isNamed)
}

/** A spoilt manifest may still be JSON, and name anything. */
function isNamed(value: unknown): value is Named {
  const { digest } = (value ?? {}) as Partial<Named>
  return typeof digest === 'string' && isDigest(digest)
}
