import type { StateRoot } from '../../state/root.ts'
import { adoptBlob, blobPath, listBlobs, touchBlob, writeBlob } from './blobs.ts'
import { collectBlobs } from './collect.ts'
import { changeIndex, ensureLayout, readIndex, withImage, withoutImages } from './index-file.ts'
import { readAnyNote, readNote, writeNote } from './layer-notes.ts'
import { openStage, sweepStages } from './stages.ts'
import type { ArtifactStore } from './types.ts'

/** The store of a state root. Nothing is made or read before the first call that needs it. */
export function openArtifactStore(root: StateRoot): ArtifactStore {
  const dir = root.path('artifacts')
  // Each time: somebody may have emptied the folder under a program that runs for weeks.
  const ensure = () => ensureLayout(root, dir)
  return {
    dir,
    blobPath: (digest) => blobPath(dir, digest),
    blobSize: async (digest) => touchBlob(blobPath(dir, digest)),
    async putBytes(bytes, mediaType) {
      await ensure()
      return { mediaType, digest: await writeBlob(dir, bytes), size: bytes.length }
    },
    async adoptFile(file, digest) {
      await ensure()
      await adoptBlob(dir, file, digest)
    },
    findLayer: (diffId, codec) => readNote(root, dir, diffId, codec),
    findAnyLayer: (diffId) => readAnyNote(root, dir, diffId),
    noteLayer: (layer) => writeNote(root, dir, layer),
    readIndex: () => readIndex(root, dir),
    async putImage(image) {
      await ensure()
      await changeIndex(root, dir, (images) => withImage(dir, images, image))
    },
    async forget(slug, snapshot) {
      const { manifests } = await readIndex(root, dir)
      // Most bottles were never exported, and their deletion should not make a store.
      if (withoutImages(manifests, slug, snapshot).length === manifests.length) return
      await changeIndex(root, dir, async (images) => withoutImages(images, slug, snapshot))
    },
    collect: (options, signal) => collectBlobs(root, dir, options, signal),
    size: async () => (await listBlobs(dir)).reduce((sum, blob) => sum + blob.bytes, 0),
    async stage(what) {
      await ensure()
      await sweepStages(dir)
      return openStage(dir, what)
    },
  }
}
