import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeLayoutOfLayers } from '../../../../src-main/backends/macos-container/layout-file.ts'
import { readSavedImage } from '../../../../src-main/backends/macos-container/saved-image.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../../../src-main/workers/tar/writer.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'saved-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const { signal } = new AbortController()
const sha = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' }

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function tarOf(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content)
    return [writeTarHeader({ path, type: 'file', size: bytes.length }), bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...parts, TAR_END])
}

/** An archive of two platforms whose layers are compressed. */
function twoPlatforms(): Buffer {
  const files: Record<string, Uint8Array> = {}
  const put = (content: Uint8Array | string) => {
    const bytes = Buffer.from(content)
    files[`blobs/sha256/${sha(bytes).slice(7)}`] = bytes
    return { digest: sha(bytes), size: bytes.length }
  }
  const json = (value: unknown) => put(JSON.stringify(value))
  const manifest = (architecture: string, text: string, type: string, pack: (text: Buffer) => Buffer) => {
    const config = json({ config: { Env: [architecture] }, rootfs: { diff_ids: [sha(text)] } })
    const layers = [
      { mediaType: `application/vnd.oci.image.layer.v1.tar+${type}`, ...put(pack(Buffer.from(text))) },
    ]
    return { ...json({ config, layers }), platform: { os: 'linux', architecture } }
  }
  const manifests = [
    { ...json({ config: {}, layers: [] }), platform: { os: 'unknown', architecture: 'unknown' } },
    manifest('amd64', 'for amd64', 'gzip', gzipSync),
    manifest('arm64', 'for arm64', 'zstd', zstdCompressSync),
  ]
  const top = { manifests: [json({ manifests })] }
  return tarOf({ './oci-layout': '{}', './index.json': JSON.stringify(top), ...files })
}

it('finds a platform’s image and gives its layers uncompressed', async () => {
  const file = join(dir, 'two.tar')
  await writeFile(file, twoPlatforms())
  for (const architecture of ['amd64', 'arm64']) {
    const { config, layers } = await readSavedImage(file, { os: 'linux', architecture })
    expect(config.config).toEqual({ Env: [architecture] })
    expect(layers.map(({ diffId, bytes }) => [diffId, bytes])).toEqual([[sha(`for ${architecture}`), null]])
    for (const layer of layers) expect(await textOf(layer.open(signal))).toBe(`for ${architecture}`)
  }
  await expect(readSavedImage(file, { os: 'linux', architecture: 's390x' })).rejects.toMatchObject({
    code: 'engine-failed',
    detail: 'nothing for linux/s390x',
  })
})

it('reads plain layers as often as wanted, and an empty one', async () => {
  const file = join(dir, 'plain.tar')
  const texts = ['bottom'.repeat(1000), '', 'top']
  const layers = texts.map((text) => ({
    diffId: sha(text),
    bytes: text.length,
    open: async function* () {
      yield Buffer.from(text)
    },
  }))
  const config = JSON.stringify({
    config: { Cmd: ['x'] },
    rootfs: { diff_ids: layers.map(({ diffId }) => diffId) },
  })
  const request = {
    reference: 'docker.io/library/x:1',
    platform: arm,
    config,
    layers: layers.map(({ diffId, bytes }) => ({ digest: diffId, bytes })),
  }
  const { manifestDigest } = await writeLayoutOfLayers(file, layers, request, () => {}, signal)
  const saved = await readSavedImage(file, { os: 'linux', architecture: 'arm64' })
  expect(saved.manifestDigest).toBe(manifestDigest)
  for (const [at, layer] of saved.layers.entries()) {
    expect(layer.bytes).toBe(texts[at]?.length)
    for (let round = 0; round < 2; round++) expect(await textOf(layer.open(signal))).toBe(texts[at])
  }
})

it('takes no archive that lacks something, or holds something else', async () => {
  const file = join(dir, 'bad.tar')
  const whole = twoPlatforms()
  for (const length of [0, 100, 512, 4096]) {
    await writeFile(file, whole)
    await truncate(file, length)
    await expect(readSavedImage(file, arm)).rejects.toMatchObject({ code: 'engine-failed' })
  }
  const changed = Buffer.from(
    (await readFile(join(dir, 'two.tar'))).toString('latin1').replace('"Env":["arm64"]', '"Env":["evil!"]'),
    'latin1',
  )
  await writeFile(file, changed)
  await expect(readSavedImage(file, { os: 'linux', architecture: 'arm64' })).rejects.toMatchObject({
    code: 'engine-failed',
    detail: expect.stringContaining('another digest'),
  })
})
