import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ANNOTATION, type Descriptor, MEDIA } from '../../../../src-main/artifacts/oci.ts'
import { openArtifactStore } from '../../../../src-main/artifacts/store/open-store.ts'
import type { ArtifactStore, StoredLayer } from '../../../../src-main/artifacts/store/types.ts'
import { isBottleError } from '../../../../src-main/system/bottle-error.ts'
import { testRoot } from '../../../support/test-root.ts'

const signal = new AbortController().signal
const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const SLUG = 'web-1'
const ID = '20261121T074500Z-k3f9'

async function open() {
  const root = await testRoot()
  return { root, store: openArtifactStore(root) }
}

/** A layer blob, as an export makes it. */
async function putLayer(store: ArtifactStore, content: string, codec: 'gzip' | 'zstd' = 'gzip') {
  const staging = await store.stage('test')
  const packed = `${codec} ${content}`
  const file = join(staging.dir, 'blob')
  await writeFile(file, packed)
  const layer: StoredLayer = {
    diffId: sha(content),
    contentBytes: content.length,
    codec,
    digest: sha(packed),
    size: packed.length,
    isCanonical: true,
  }
  await store.adoptFile(file, layer.digest)
  await store.noteLayer(layer)
  await staging.release()
  return layer
}

async function putImage(
  store: ArtifactStore,
  layers: readonly StoredLayer[],
  snapshot = ID,
  slug = SLUG,
): Promise<Descriptor> {
  const json = async (value: unknown, type: string) =>
    store.putBytes(new TextEncoder().encode(JSON.stringify(value)), type)
  const config = await json({ layers: layers.map((layer) => layer.diffId) }, MEDIA.config)
  const image = await json(
    {
      mediaType: MEDIA.manifest,
      config,
      layers: layers.map(({ codec, digest, size }) => ({ mediaType: MEDIA.layer[codec], digest, size })),
    },
    MEDIA.manifest,
  )
  const facts = await json({ bottle: { slug }, snapshot: { id: snapshot } }, MEDIA.facts)
  const parts = await json(
    { mediaType: MEDIA.manifest, artifactType: MEDIA.parts, config: facts, layers: [], subject: image },
    MEDIA.manifest,
  )
  const named = {
    ...image,
    annotations: {
      [ANNOTATION.refName]: `${slug}-${snapshot}`,
      [ANNOTATION.parts]: parts.digest,
      [ANNOTATION.slug]: slug,
      [ANNOTATION.snapshot]: snapshot,
    },
  }
  await store.putImage(named)
  return named
}

/** So that a collection takes the blob for one of before. */
async function age(store: ArtifactStore): Promise<void> {
  const old = new Date(Date.now() - 60_000)
  for (const name of await readdir(join(store.dir, 'blobs/sha256'))) {
    await utimes(join(store.dir, 'blobs/sha256', name), old, old)
  }
}

test('a store is made by its first write and by nothing else', async () => {
  const { root, store } = await open()
  await store.forget(SLUG)
  expect(await store.size()).toBe(0)
  expect((await store.readIndex()).manifests).toEqual([])
  expect(await store.collect({ dryRun: false }, signal)).toEqual({ bytes: 0, blobs: 0 })
  expect(await readdir(root.dir)).not.toContain('artifacts')
  await store.putBytes(new Uint8Array([1]), 'x/y')
  expect(await readFile(join(store.dir, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}')
  expect(JSON.parse(await readFile(join(store.dir, 'index.json'), 'utf8')).manifests).toEqual([])
})

test('what is no sha256 digest is no path', async () => {
  const { store } = await open()
  for (const bad of ['', 'sha256:../../x', `sha512:${'a'.repeat(64)}`, `sha256:${'A'.repeat(64)}`]) {
    expect(() => store.blobPath(bad)).toThrow(/no sha256 digest/)
    expect(await store.findLayer(bad, 'gzip')).toBeNull()
  }
})

test('an adopted file is the blob, and the layer is found again in its codec', async () => {
  const { store } = await open()
  const layer = await putLayer(store, 'content')
  expect(await store.blobSize(layer.digest)).toBe(layer.size)
  expect(await store.findLayer(layer.diffId, 'gzip')).toEqual(layer)
  expect(await store.findLayer(layer.diffId, 'zstd')).toBeNull()
  expect(await store.findAnyLayer(layer.diffId)).toEqual(layer)
  expect(await readdir(join(store.dir, '.stage'))).toEqual([])
})

test('uncompressed content is found without any note', async () => {
  const { store } = await open()
  const { digest } = await store.putBytes(new TextEncoder().encode('plain'), 'x/y')
  expect(await store.findLayer(digest, 'none')).toMatchObject({ digest, contentBytes: 5, isCanonical: true })
})

test('a note whose blob is gone or cut, or that is damaged, counts as none', async () => {
  const { root, store } = await open()
  const cut = await putLayer(store, 'cut')
  await writeFile(store.blobPath(cut.digest), 'gz')
  expect(await store.findLayer(cut.diffId, 'gzip')).toBeNull()
  const gone = await putLayer(store, 'gone')
  await rm(store.blobPath(gone.digest))
  expect(await store.findLayer(gone.diffId, 'gzip')).toBeNull()
  const damaged = await putLayer(store, 'damaged')
  await writeFile(root.path('icebox/layers', `${damaged.diffId.slice(7)}.gzip.json`), '{"digest":')
  expect(await store.findLayer(damaged.diffId, 'gzip')).toBeNull()
  await store.noteLayer(damaged)
  expect(await store.findLayer(damaged.diffId, 'gzip')).toEqual(damaged)
})

test("another program's blob never takes the place of our own", async () => {
  const { store } = await open()
  const own = await putLayer(store, 'content')
  const { digest, size } = await store.putBytes(new TextEncoder().encode('theirs'), 'x/y')
  await store.noteLayer({ ...own, digest, size, isCanonical: false })
  expect(await store.findLayer(own.diffId, 'gzip')).toEqual(own)
  await rm(store.blobPath(own.digest))
  await store.noteLayer({ ...own, digest, size, isCanonical: false })
  expect(await store.findLayer(own.diffId, 'gzip')).toMatchObject({ digest, isCanonical: false })
  await putLayer(store, 'content')
  expect(await store.findLayer(own.diffId, 'gzip')).toEqual(own)
})

test('an image takes the place of the same snapshot in the same codec only', async () => {
  const { store } = await open()
  const first = await putImage(store, [await putLayer(store, 'a')])
  const zstd = await putImage(store, [await putLayer(store, 'a', 'zstd')])
  const again = await putImage(store, [await putLayer(store, 'b')])
  const other = await putImage(store, [await putLayer(store, 'a')], '20261121T074501Z-0000')
  const { manifests } = await store.readIndex()
  expect(manifests.map(({ digest }) => digest)).toEqual([zstd.digest, again.digest, other.digest])
  // The first content is back under the third name only.
  expect(other.digest).toBe(first.digest)
  const names = manifests.map(({ annotations }) => annotations?.[ANNOTATION.refName])
  expect(names).toEqual([undefined, `${SLUG}-${ID}`, `${SLUG}-20261121T074501Z-0000`])
})

test('forgetting and collecting deletes what no image reaches, and nothing else', async () => {
  const { store } = await open()
  const shared = await putLayer(store, 'shared')
  const own = await putLayer(store, 'own')
  await putImage(store, [shared, own])
  await putImage(store, [shared], ID, 'other')
  await age(store)
  expect(await store.collect({ dryRun: false }, signal)).toEqual({ bytes: 0, blobs: 0 })
  await store.forget(SLUG, '20261121T074501Z-0000')
  expect((await store.readIndex()).manifests).toHaveLength(2)
  await store.forget(SLUG)
  const before = await store.size()
  const dry = await store.collect({ dryRun: true }, signal)
  expect(await store.size()).toBe(before)
  const freed = await store.collect({ dryRun: false }, signal)
  expect(freed).toEqual(dry)
  expect(freed.blobs).toBe(5)
  expect(await store.size()).toBe(before - freed.bytes)
  expect(await store.blobSize(own.digest)).toBeNull()
  expect(await store.blobSize(shared.digest)).toBe(shared.size)
})

test('a collection spares what an unfinished operation has made or asked for', async () => {
  const { store } = await open()
  const old = await putLayer(store, 'old')
  const unused = await putLayer(store, 'unused')
  await age(store)
  const operation = await store.stage('export')
  expect(await store.findLayer(old.diffId, 'gzip')).toEqual(old)
  const fresh = await putLayer(store, 'fresh')
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect((await store.collect({ dryRun: false }, signal)).blobs).toBe(1)
  expect(await store.blobSize(unused.digest)).toBeNull()
  expect(await store.blobSize(old.digest)).toBe(old.size)
  expect(await store.blobSize(fresh.digest)).toBe(fresh.size)
  await operation.release()
  await age(store)
  expect((await store.collect({ dryRun: false }, signal)).blobs).toBe(2)
})

test("a dead process's folder is swept, a living one's is not", async () => {
  const { store } = await open()
  const living = await store.stage('export')
  const dead = join(store.dir, '.stage', `${Date.now().toString(36)}.999999999.${'0'.repeat(16)}.export.ab`)
  const reused = join(store.dir, '.stage', `${Date.now().toString(36)}.${process.pid}.${'0'.repeat(16)}.x.ab`)
  await mkdir(dead)
  await mkdir(reused)
  await writeFile(join(dead, 'blob'), 'half')
  const next = await store.stage('import')
  expect((await readdir(join(store.dir, '.stage'))).sort()).toEqual(
    [living, next].map(({ dir }) => dir.slice(dir.lastIndexOf('/') + 1)).sort(),
  )
})

test('a damaged index is told anew from the manifests, so that a collection deletes nothing', async () => {
  const { root, store } = await open()
  const image = await putImage(store, [await putLayer(store, 'a')])
  await age(store)
  await writeFile(join(store.dir, 'index.json'), '{"manifests": [')
  expect((await store.readIndex()).manifests).toEqual([image])
  expect((await store.collect({ dryRun: false }, signal)).blobs).toBe(0)
  expect(await readdir(root.path('icebox/quarantine'))).toHaveLength(1)
  await putImage(store, [await putLayer(store, 'b')], ID, 'other')
  expect((await store.readIndex()).manifests).toHaveLength(2)
})

test('two writers of the index lose nothing', async () => {
  const { root, store } = await open()
  const second = openArtifactStore(root)
  const layer = await putLayer(store, 'a')
  await Promise.all(
    Array.from({ length: 8 }, (_, at) => putImage(at % 2 ? store : second, [layer], ID, `bottle-${at}`)),
  )
  expect((await store.readIndex()).manifests).toHaveLength(8)
})

test('a collection that is cancelled stops and leaves the rest', async () => {
  const { store } = await open()
  await putLayer(store, 'a')
  await age(store)
  const failed = await store.collect({ dryRun: false }, AbortSignal.abort()).catch((error: unknown) => error)
  expect(isBottleError(failed) && failed.code).toBe('cancelled')
  expect(await store.size()).toBeGreaterThan(0)
})

test('a blob is put in whole: nothing of a staged file is seen before it is adopted', async () => {
  const { store } = await open()
  const staging = await store.stage('test')
  await writeFile(join(staging.dir, 'blob'), 'x')
  expect(await store.size()).toBe(0)
  await store.adoptFile(join(staging.dir, 'blob'), sha('x'))
  expect(await store.size()).toBe(1)
  expect((await stat(staging.dir)).isDirectory()).toBe(true)
  await staging.release()
  await expect(stat(staging.dir)).rejects.toThrow(/ENOENT/)
})
