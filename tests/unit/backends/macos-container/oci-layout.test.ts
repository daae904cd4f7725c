import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readArchive } from '../../../../src-main/backends/images/archive-entries.ts'
import {
  writeLayoutOfContent,
  writeLayoutOfLayers,
} from '../../../../src-main/backends/macos-container/layout-file.ts'
import { HEAD_BYTES, layoutHead } from '../../../../src-main/backends/macos-container/oci-layout.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'layout-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const sha = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' }

async function* inPieces(text: string) {
  for (let at = 0; at < text.length; at += 700) yield Buffer.from(text.slice(at, at + 700))
}

async function entriesOf(file: string) {
  const bytes = await readFile(file)
  const found = new Map<string, Buffer>()
  await readArchive(
    'test',
    (async function* () {
      yield bytes
    })(),
    async ({ path, content }) => {
      const pieces: Uint8Array[] = []
      for await (const piece of content) pieces.push(Buffer.from(piece))
      found.set(path, Buffer.concat(pieces))
    },
  )
  return found
}

const jsonOf = (entries: ReadonlyMap<string, Buffer>, path: string) =>
  JSON.parse(entries.get(path)?.toString() ?? 'null')
const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`

it('writes an image that every digest leads through, from the archive to the layer', async () => {
  const file = join(dir, 'one.tar')
  const content = 'layer '.repeat(5000)
  const { layer, layout } = await writeLayoutOfContent(file, inPieces(content), (made) => ({
    reference: 'docker.io/library/bot-bottle-committed-a:1',
    platform,
    config: JSON.stringify({ rootfs: { diff_ids: [made.digest] } }),
    layers: [made],
  }))
  expect(layer).toEqual({ digest: sha(content), bytes: content.length })
  const entries = await entriesOf(file)
  expect([...entries.keys()].at(0)).toBe('oci-layout')
  expect(jsonOf(entries, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' })
  const [top] = jsonOf(entries, 'index.json').manifests
  expect(top.annotations).toEqual({
    'io.containerd.image.name': 'docker.io/library/bot-bottle-committed-a:1',
    'org.opencontainers.image.ref.name': 'docker.io/library/bot-bottle-committed-a:1',
  })
  expect(top.digest).toBe(layout.indexDigest)
  const [entry] = jsonOf(entries, blob(top.digest)).manifests
  expect(entry).toMatchObject({ digest: layout.manifestDigest, platform })
  const manifest = jsonOf(entries, blob(entry.digest))
  expect(manifest.layers).toEqual([
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.bytes },
  ])
  expect(jsonOf(entries, blob(manifest.config.digest)).rootfs.diff_ids).toEqual([layer.digest])
  for (const [path, bytes] of entries) if (path.startsWith('blobs/')) expect(path).toBe(blob(sha(bytes)))
  expect(entries.get(blob(layer.digest))?.toString()).toBe(content)
})

it('keeps the same place for the head of a layer of any size', () => {
  const digest = sha('x')
  for (const bytes of [0, 1, 0o77777777777, 0o77777777777 + 1, 2 ** 43]) {
    const { head, hasMark } = layoutHead(digest, bytes)
    expect(head.length).toBe(HEAD_BYTES)
    expect(hasMark).toBe(bytes <= 0o77777777777)
  }
})

it('leaves no file when the content fails', async () => {
  const file = join(dir, 'failed.tar')
  const broken = async function* () {
    yield Buffer.from('x')
    throw new Error('cut off')
  }
  const plan = () => {
    throw new Error('not reached')
  }
  await expect(writeLayoutOfContent(file, broken(), plan)).rejects.toThrow('cut off')
  expect(await readdir(dir)).not.toContain('failed.tar')
})

it('writes several known layers, and refuses one that is not as long as it says', async () => {
  const layers = ['bottom', 'top'].map((text) => ({
    diffId: sha(text),
    bytes: text.length,
    open: () => inPieces(text),
  }))
  const request = {
    reference: 'docker.io/library/x:1',
    platform,
    config: '{}',
    layers: layers.map(({ diffId, bytes }) => ({ digest: diffId, bytes })),
  }
  const { signal } = new AbortController()
  const seen: number[] = []
  await writeLayoutOfLayers(join(dir, 'two.tar'), layers, request, (bytes) => seen.push(bytes), signal)
  const entries = await entriesOf(join(dir, 'two.tar'))
  for (const { diffId } of layers) expect(sha(entries.get(blob(diffId)) ?? '')).toBe(diffId)
  expect(seen).toEqual([6, 9])
  for (const bytes of [2, 4]) {
    const wrong = [{ diffId: sha('abc'), bytes, open: () => inPieces('abc') }]
    const file = join(dir, `wrong-${bytes}.tar`)
    await expect(writeLayoutOfLayers(file, wrong, request, () => {}, signal)).rejects.toMatchObject({
      code: 'artifact-invalid',
    })
    expect(await readdir(dir)).not.toContain(`wrong-${bytes}.tar`)
  }
})
