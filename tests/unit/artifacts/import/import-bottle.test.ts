import { randomBytes } from 'node:crypto'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { recoverOne } from '../../../../src-main/bottles/recover.ts'
import { requireMetadata } from '../../../../src-main/state/metadata.ts'
import { readCommittedImage, readSnapshots } from '../../../../src-main/state/snapshot-files.ts'
import { type ImportBench, inPieces, makeImportBench } from '../../../support/hostile/import-bench.ts'
import {
  digestOf,
  dockerArchive,
  FILE_LAYER,
  goodFacts,
  type LayerSpec,
  type LayoutSpec,
  ociArchive,
  packed,
} from '../../../support/hostile/layout.ts'
import { rawTar } from '../../../support/hostile/raw-tar.ts'
import { tempFolder } from '../../../support/test-root.ts'

const SECOND: LayerSpec = { content: rawTar([{ name: 'etc/.wh.motd' }, { name: 'etc/more', body: 'more' }]) }
const VOLUME = {
  destination: '/data',
  content: rawTar([
    { name: 'data/', type: '5' },
    { name: 'data/notes.txt', body: 'volume content' },
  ]),
}
const ARTIFACT: LayoutSpec = { layers: [FILE_LAYER, SECOND], facts: goodFacts(), volumes: [VOLUME] }

let bench: ImportBench
beforeEach(async () => {
  bench = await makeImportBench()
})

async function snapshotOf(slug: string) {
  const [snapshot] = (await readSnapshots(bench.root, slug)).snapshots
  if (!snapshot) throw new Error(`${slug} has no snapshot`)
  return snapshot
}

test('an artifact of ours becomes a frozen bottle with its volumes', async () => {
  const result = await bench.run(ociArchive(ARTIFACT))
  expect(result).toMatchObject({ slug: 'web-1', snapshot: '20260102T030405Z-ab12', backend: 'docker' })
  const snapshot = await snapshotOf('web-1')
  expect(snapshot).toMatchObject({
    reason: 'imported',
    parent: null,
    verified: null,
    note: 'a note',
    createdAt: '2026-01-02T03:04:05.000Z',
    fidelity: 'files+volumes',
    reference: 'bot-bottle-committed-web-1:20260102T030405Z-ab12',
    volumes: [{ destination: '/data', file: '0.tar', bytes: VOLUME.content.length }],
  })
  const part = bench.root.path('state', 'web-1', 'snapshots', `${snapshot.id}.d`, '0.tar')
  expect((await readFile(part)).equals(VOLUME.content)).toBe(true)
  expect(await readCommittedImage(bench.root, 'web-1')).toEqual({ kind: 'ok', reference: snapshot.reference })
  const metadata = await requireMetadata(bench.root, 'web-1')
  expect(metadata).toMatchObject({ label: 'Web 1', color: 'green', backend: 'docker' })
  expect(metadata.icebox).toMatchObject({ provider: 'custom', adopted: false, runs: [] })
  expect(metadata.icebox?.notices[0]).toContain('web-1@20260102T030405Z-ab12')
  await expect(readFile(bench.root.path('state', 'web-1', 'intent.json'))).rejects.toThrow('ENOENT')
  const [loaded] = bench.loaded
  expect([...(loaded?.layers.values() ?? [])]).toEqual([FILE_LAYER.content, SECOND.content])
  expect(loaded?.request.image).toMatchObject({
    diffIds: [digestOf(FILE_LAYER.content), digestOf(SECOND.content)],
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], WorkingDir: '/workspace' },
  })
})

test.each<[string, Partial<LayoutSpec>]>([
  ['gzip', { layers: [FILE_LAYER] }],
  ['zstd', { layers: [{ ...FILE_LAYER, pack: 'zstd' }] }],
  ['no compression', { layers: [{ ...FILE_LAYER, pack: 'none' }], volumes: [{ ...VOLUME, pack: 'none' }] }],
  ['the same layer twice', { layers: [FILE_LAYER, FILE_LAYER] }],
])('layers in %s are had as they were', async (_name, spec) => {
  await bench.run(ociArchive({ ...ARTIFACT, ...spec }))
  const { layers } = spec
  for (const layer of layers ?? []) {
    expect(bench.loaded[0]?.layers.get(digestOf(layer.content))?.equals(layer.content)).toBe(true)
  }
})

test.each<[string, (archive: Buffer) => Buffer]>([
  ['gzip', (archive) => gzipSync(archive)],
  ['zstd', (archive) => zstdCompressSync(archive)],
])('an archive that is compressed as a whole with %s is read', async (_name, pack) => {
  expect((await bench.run(pack(ociArchive(ARTIFACT)))).slug).toBe('web-1')
})

test('a file is read as a stream is, and names the bottle when nothing else does', async () => {
  const file = join(await tempFolder(), 'My Image.tar.gz')
  await writeFile(file, gzipSync(ociArchive()))
  const { slug, snapshot } = await bench.run({ file })
  expect(slug).toBe('my-image')
  expect(await snapshotOf(slug)).toMatchObject({ id: snapshot, agent: '', fidelity: 'files', volumes: [] })
  const metadata = await requireMetadata(bench.root, slug)
  expect(metadata.agentName).toBe('')
  expect(metadata.icebox?.notices[0]).toContain('no agent')
})

test('what docker save of old writes is an image like any other', async () => {
  const result = await bench.run(dockerArchive({ layers: [FILE_LAYER, SECOND] }))
  expect(result.slug).toBe('thing')
  expect([...(bench.loaded[0]?.layers.values() ?? [])]).toEqual([FILE_LAYER.content, SECOND.content])
})

test('a layer that docker save links to another one is found', async () => {
  const archive = dockerArchive({
    layers: [FILE_LAYER, FILE_LAYER],
    changeMembers: (members) => {
      const layers = members.filter(({ name }) => name.endsWith('layer.tar'))
      const [first, second] = layers
      if (!first || !second) throw new Error('two layers were made')
      return members.map((member) =>
        member === second ? { name: second.name, type: '2', link: `../${first.name}` } : member,
      )
    },
  })
  await bench.run(archive)
  expect(bench.loaded[0]?.request.image.diffIds).toHaveLength(2)
})

test('the same file twice makes two bottles that share their layers', async () => {
  const archive = ociArchive(ARTIFACT)
  const first = await bench.run(archive)
  const store = await bench.deps.store()
  const bytes = await store.size()
  const second = await bench.run(archive)
  expect([first.slug, second.slug]).toEqual(['web-1', 'web-1-2'])
  expect(second.snapshot).not.toBe(first.snapshot)
  expect(second.notices.join(' ')).toContain('web-1 is taken')
  // Only the second bottle's own documents came on top.
  expect((await store.size()) - bytes).toBeLessThan(10_000)
  const names = (await store.readIndex()).manifests.map((image) => image.annotations?.['dev.icebox.slug'])
  expect(names).toEqual(['web-1', 'web-1-2'])
  const found = await store.collect({ dryRun: true }, new AbortController().signal)
  // Of what came with either, nothing is unused; an empty document may lie about.
  expect(found.bytes).toBeLessThanOrEqual(2)
})

test('a label names the bottle, and a number follows where it is taken', async () => {
  expect((await bench.run(ociArchive(ARTIFACT), 'My Copy')).slug).toBe('my-copy')
  expect((await bench.run(ociArchive(ARTIFACT), 'My Copy')).slug).toBe('my-copy-2')
})

test('a thin archive takes its base from the store, or from the engine', async () => {
  const thin = ociArchive({ ...ARTIFACT, thin: 1 })
  await expect(bench.run(thin)).rejects.toMatchObject({ code: 'artifact-base-missing' })
  bench.held = [digestOf(FILE_LAYER.content)]
  await bench.run(thin)
  expect([...(bench.loaded[0]?.layers.keys() ?? [])]).toEqual([digestOf(SECOND.content)])
  bench.held = []
  await bench.run(ociArchive({ layers: [FILE_LAYER] }))
  await bench.run(thin)
  expect(bench.loaded[2]?.layers.size).toBe(2)
})

test('an image for several platforms gives this machine its own', async () => {
  const mine = process.arch === 'x64' ? 'amd64' : process.arch
  const archive = ociArchive({
    changeIndex: (index) => {
      const [image] = index.manifests as Record<string, unknown>[]
      const other = {
        ...image,
        digest: `sha256:${'1'.repeat(64)}`,
        platform: { os: 'linux', architecture: 's390x' },
      }
      return { ...index, manifests: [other, { ...image, platform: { os: 'linux', architecture: mine } }] }
    },
  })
  await bench.run(archive, 'multi')
  expect(bench.loaded).toHaveLength(1)
})

test('an image for another processor is imported and says so', async () => {
  const { notices } = await bench.run(ociArchive({ ...ARTIFACT, architecture: 's390x' }))
  expect(notices.join(' ')).toContain('s390x')
})

test('what is extra in an archive is not kept', async () => {
  const extra = Buffer.from('nobody asked for this')
  const archive = ociArchive({
    ...ARTIFACT,
    changeMembers: (members) => [
      { name: `blobs/sha256/${digestOf(extra).slice(7)}`, body: extra },
      { name: 'surprise.sh', body: extra },
      ...members,
    ],
  })
  await bench.run(archive)
  const store = await bench.deps.store()
  expect(await store.blobSize(digestOf(extra))).toBeNull()
  expect((await bench.listing()).filter((line) => line.includes('surprise'))).toEqual([])
})

test('owner labels of another machine do not come in', async () => {
  await bench.run(
    ociArchive({
      ...ARTIFACT,
      changeConfig: (config) => ({
        ...config,
        config: { Cmd: ['sh'], Labels: { 'dev.icebox.root': bench.root.id, kept: 'yes' } },
      }),
    }),
  )
  expect(bench.loaded[0]?.request.image.config).toEqual({ Cmd: ['sh'], Labels: { kept: 'yes' } })
})

test('the definitions that come along are kept with the bottle', async () => {
  const definitions = {
    agents: { helper: '---\nbottle: box\n---\nHi' },
    bottles: { box: '---\nimage: x\n---\n' },
  }
  const facts = goodFacts({ bottle: { agent: 'helper', bottleNames: ['box'] }, definitions })
  const { notices } = await bench.run(ociArchive({ ...ARTIFACT, facts }))
  expect(notices.join(' ')).toContain('brings along')
  const file = bench.root.path('state', 'web-1', 'definitions', 'agents', 'helper.md')
  expect(await readFile(file, 'utf8')).toContain('bottle: box')
})

test('an engine that fails leaves nothing behind', async () => {
  const before = await bench.listing()
  bench.failure = new Error('no')
  await expect(bench.run(ociArchive(ARTIFACT))).rejects.toMatchObject({ code: 'internal' })
  expect(await bench.listing()).toEqual(before)
  expect(bench.discarded).toEqual(['bot-bottle-committed-web-1:20260102T030405Z-ab12'])
})

test('a cancelled import leaves nothing behind', async () => {
  const before = await bench.listing()
  const stop = new AbortController()
  const stream = (async function* () {
    for await (const piece of inPieces(ociArchive(ARTIFACT))) {
      yield piece
      stop.abort()
    }
  })()
  await expect(bench.run({ stream, bytes: null }, undefined, stop.signal)).rejects.toMatchObject({
    code: 'cancelled',
  })
  expect(await bench.listing()).toEqual(before)
})

test('a stream that breaks off leaves nothing behind', async () => {
  const before = await bench.listing()
  const stream = (async function* () {
    yield ociArchive(ARTIFACT).subarray(0, 3000)
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  })()
  await expect(bench.run({ stream, bytes: 10_000 })).rejects.toThrow()
  expect(await bench.listing()).toEqual(before)
})

test.each([
  ['import:after-reserve', false],
  ['import:after-volumes', false],
  ['import:after-load', false],
  ['import:after-adopt', false],
  ['import:after-record', false],
  ['import:after-switch', true],
  ['import:after-name', true],
])('what a death at %s leaves is made whole or taken back', async (point, isWhole) => {
  // A copy of the folder as it was at that point stands for the process that died there.
  const folder = bench.root.path('state', 'web-1')
  const saved = join(await tempFolder(), 'saved')
  const discard = bench.deps.backends
  const backend = await discard.get('docker')
  const take = backend.discardSnapshot
  let isSaved = false
  Object.assign(backend, {
    discardSnapshot: async (...args: Parameters<typeof take>) => {
      if (!isSaved) await cp(folder, saved, { recursive: true })
      isSaved = true
      return take(...args)
    },
  })
  process.env.ICEBOX_FAULT = `${point}:throw`
  try {
    await expect(bench.run(ociArchive(ARTIFACT))).rejects.toMatchObject({ code: 'disk-full' })
  } finally {
    delete process.env.ICEBOX_FAULT
  }
  await rm(folder, { recursive: true, force: true })
  await cp(saved, folder, { recursive: true })
  await recoverOne(bench.deps, 'web-1', new AbortController().signal)
  const { snapshots } = await readSnapshots(bench.root, 'web-1')
  expect(snapshots).toHaveLength(isWhole ? 1 : 0)
  const left = (await bench.listing()).filter((line) => line.includes('state/web-1'))
  expect(left.length > 0).toBe(isWhole)
  expect(left.filter((line) => line.includes('intent'))).toEqual([])
})

describe('a large layer, which is loaded while it is verified', () => {
  // A little more than what is worth it. Noise is only stored by any packer: to have it try costs and changes nothing.
  const noise = randomBytes(33 << 20)
  const stored = (bytes: Buffer) => gzipSync(bytes, { level: 0 })
  const content = rawTar([{ name: 'noise', body: noise }])

  test('comes in whole', async () => {
    await bench.run(ociArchive({ ...ARTIFACT, layers: [{ content, blob: stored(content) }] }))
    expect(bench.loaded[0]?.layers.get(digestOf(content))?.equals(content)).toBe(true)
    expect((await snapshotOf('web-1')).reason).toBe('imported')
  })

  test('is refused like any other, and nothing stays', async () => {
    const before = await bench.listing()
    const bad = rawTar([{ name: 'noise', body: noise }, { name: '../evil' }])
    const layers = [{ content: bad, blob: stored(bad) }]
    await expect(bench.run(ociArchive({ ...ARTIFACT, layers }))).rejects.toMatchObject({
      code: 'artifact-invalid',
      message: /\.\.\/evil/,
    })
    expect(await bench.listing()).toEqual(before)
    expect(bench.loaded).toEqual([])
  })

  test('comes in whole when its length was told wrong', async () => {
    const half = content.length - 1024
    const blob = Buffer.concat([stored(content.subarray(0, half)), stored(content.subarray(half))])
    await bench.run(ociArchive({ ...ARTIFACT, layers: [{ content, blob }] }))
    expect(bench.loaded[0]?.layers.get(digestOf(content))?.equals(content)).toBe(true)
    expect(bench.loaded[0]?.request.layers.get(digestOf(content))?.bytes).toBe(content.length)
  })
})

test('an empty or foreign file is refused in words', async () => {
  await expect(bench.run(Buffer.alloc(0))).rejects.toThrow('empty')
  await expect(bench.run(Buffer.from('PK\u0003\u0004 and the rest of a zip'))).rejects.toThrow('zip')
  await expect(bench.run({ file: '/nowhere/at/all' })).rejects.toMatchObject({ code: 'not-found' })
  const pack = Buffer.alloc(300)
  const manifest = Buffer.from('{"mode":"vm","image":"alpine:3","platform":"linux/arm64"}')
  manifest.copy(pack)
  pack.write('SMOLPACK', 236)
  pack.writeUInt32LE(1, 244)
  pack.writeBigUInt64LE(0n, 272)
  pack.writeBigUInt64LE(BigInt(manifest.length), 280)
  const file = join(await tempFolder(), 'x.smolmachine')
  await writeFile(file, pack)
  await expect(bench.run({ file })).rejects.toMatchObject({ code: 'unsupported', message: /alpine:3.*arm64/ })
  expect(packed(Buffer.alloc(0), 'none')).toHaveLength(0)
})
