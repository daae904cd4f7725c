import { expect, test } from 'vitest'
import { planArchive } from '../../../../src-main/artifacts/export/plan-archive.ts'
import { putSnapshot } from '../../../../src-main/artifacts/export/put-snapshot.ts'
import { stableJson } from '../../../../src-main/artifacts/export/stable-json.ts'
import { tarBytes, tarHeader } from '../../../../src-main/artifacts/export/tar-header.ts'
import { archiveBytes, writeEnd, writeMember } from '../../../../src-main/artifacts/export/write-archive.ts'
import { ANNOTATION, MEDIA } from '../../../../src-main/artifacts/oci.ts'
import type { StoredSnapshot } from '../../../../src-main/artifacts/store/types.ts'
import { content, fakeEngine, ID, makeScene, type Scene, SLUG, sha, signal, withVolumes } from './scene.ts'

const base = content('base', 300_000)
const own = content('own', 5000)

async function archiveOf(scene: Scene, stored: StoredSnapshot, thin = false) {
  const put = await putSnapshot(scene.store, stored)
  const plan = planArchive(stored, put, { thin })
  const chunks: Buffer[] = []
  let told = 0
  const source = {
    store: scene.store,
    signal,
    onBytes: (bytes: number) => {
      told += bytes
    },
  }
  const sink = { write: async (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)) }
  for (const member of plan.members) await writeMember(source, member, sink)
  await writeEnd(source, sink)
  const bytes = Buffer.concat(chunks)
  expect(bytes.length).toBe(archiveBytes(plan.members))
  expect(told).toBe(bytes.length)
  return { bytes, put, plan, files: readTar(bytes) }
}

/** Name → content, in order; every header must be the plain one. */
function readTar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  let at = 0
  while (bytes[at] !== 0) {
    const header = bytes.subarray(at, at + 512)
    const name = header.toString('latin1', 0, header.indexOf(0))
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
    expect(header.equals(tarHeader(name, size))).toBe(true)
    expect(files.has(name)).toBe(false)
    files.set(name, bytes.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  expect(bytes.length - at).toBe(1024)
  expect(bytes.subarray(at).every((byte) => byte === 0)).toBe(true)
  return files
}

const json = (files: Map<string, Buffer>, name: string) => JSON.parse(files.get(name)?.toString() ?? '')
const blobOf = (files: Map<string, Buffer>, digest: string) => json(files, `blobs/sha256/${digest.slice(7)}`)

test('an archive is a layout in a fixed order, each blob under its digest, docker’s list last', async () => {
  const scene = await makeScene()
  const snapshot = await withVolumes(scene.partsDir, { '/data': content('volume', 9000) })
  const stored = await scene.collect(fakeEngine([base, own]).portable, snapshot)
  const { files, put } = await archiveOf(scene, stored)
  const blob = (digest: string | undefined) => `blobs/sha256/${digest?.slice(7)}`
  expect([...files.keys()]).toEqual([
    'oci-layout',
    ...stored.layers.map((layer) => blob(layer.digest)),
    blob(put.config.digest),
    blob(put.image.digest),
    ...stored.volumes.map((volume) => blob(volume.digest)),
    blob(put.facts.digest),
    blob(put.parts.digest),
    'index.json',
    'manifest.json',
  ])
  for (const [name, bytes] of files) {
    if (name.startsWith('blobs/')) expect(blob(sha(bytes))).toBe(name)
  }
  const index = json(files, 'index.json')
  expect(index.manifests).toHaveLength(1)
  expect(index.manifests[0].annotations).toEqual({
    [ANNOTATION.refName]: `${SLUG}-${ID}`,
    [ANNOTATION.parts]: put.parts.digest,
    [ANNOTATION.slug]: SLUG,
    [ANNOTATION.snapshot]: ID,
  })
  expect(json(files, 'manifest.json')).toEqual([
    {
      Config: blob(put.config.digest),
      Layers: stored.layers.map((layer) => blob(layer.digest)),
      RepoTags: [`icebox/${SLUG}:${ID}`],
    },
  ])
  const manifest = blobOf(files, put.image.digest)
  const config = blobOf(files, manifest.config.digest)
  expect(config.rootfs.diff_ids).toEqual([sha(base), sha(own)])
  expect(config.history).toHaveLength(2)
  expect(config.config).toEqual({ Env: ['PATH=/bin'], Labels: { mine: 'kept' } })
  expect(config).not.toHaveProperty('container_config')
  const parts = blobOf(files, put.parts.digest)
  expect(parts).toMatchObject({ artifactType: MEDIA.parts, subject: { digest: put.image.digest } })
  expect(parts.layers).toHaveLength(1)
  expect(blobOf(files, parts.config.digest)).toEqual(JSON.parse(stableJson(stored.facts)))
})

test('the same snapshot is the same bytes, whatever the store held and however its keys are ordered', async () => {
  const scene = await makeScene()
  const first = await archiveOf(scene, await scene.collect(fakeEngine([base, own]).portable))
  const other = await makeScene()
  await other.collect(fakeEngine([own, base, content('more', 100)]).portable, undefined, { codec: 'zstd' })
  const engine = fakeEngine([base, own], {
    config: { Labels: { mine: 'kept', 'dev.icebox.record': 'another' }, Env: ['PATH=/bin'] },
  })
  const second = await archiveOf(other, await other.collect(engine.portable))
  expect(second.bytes.equals(first.bytes)).toBe(true)
  const changed = await archiveOf(
    other,
    await other.collect(fakeEngine([base, own], { config: {} }).portable),
  )
  expect(changed.bytes.equals(first.bytes)).toBe(false)
})

test('a thin archive leaves out the base and says how much; without a base it is full', async () => {
  const scene = await makeScene()
  const stored = await scene.collect(fakeEngine([base, own]).portable)
  const thin = await archiveOf(scene, stored, true)
  const full = await archiveOf(scene, stored)
  const lowest = `blobs/sha256/${stored.layers[0]?.digest.slice(7)}`
  expect([...full.files.keys()].filter((name) => !thin.files.has(name))).toEqual([lowest])
  expect(json(thin.files, 'index.json').manifests[0].annotations[ANNOTATION.thin]).toBe('1')
  expect(thin.put.image.digest).toBe(full.put.image.digest)
  const unknown = await scene.collect(fakeEngine([base, own], { baseLayers: 0 }).portable)
  expect((await archiveOf(scene, unknown, true)).plan.thin).toBe(0)
})

test('without volumes the parts manifest has the one empty layer that its schema wants', async () => {
  const scene = await makeScene()
  const { files, put } = await archiveOf(scene, await scene.collect(fakeEngine([base]).portable))
  const { layers } = blobOf(files, put.parts.digest)
  expect(layers).toEqual([{ mediaType: MEDIA.empty, digest: sha('{}'), size: 2 }])
  expect(files.get(`blobs/sha256/${sha('{}').slice(7)}`)?.toString()).toBe('{}')
})

test('a header tells sizes beyond eight gibibytes', () => {
  const size = 8 ** 11 + 5
  const header = tarHeader('blobs/sha256/x', size)
  expect(header[124]).toBe(0x80)
  expect(Number(header.readBigUInt64BE(128))).toBe(size)
  expect(tarHeader('x', 8 ** 11 - 1).toString('latin1', 124, 136)).toBe('77777777777\0')
  expect(tarBytes([0, 1, 512, 513])).toBe(4 * 512 + 512 + 512 + 1024 + 1024)
})

test('equal values are equal JSON', () => {
  expect(stableJson({ b: [{ d: 1, c: null }], a: 'ä' })).toBe('{"a":"ä","b":[{"c":null,"d":1}]}')
  expect(stableJson({ a: undefined })).toBe('{}')
})
