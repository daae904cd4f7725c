import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { SnapshotFacts } from '../../../../src-main/artifacts/facts.ts'
import { isBottleError } from '../../../../src-main/system/bottle-error.ts'
import { content, fakeEngine, makeScene, pieces, sha, snapshotRecord, withVolumes } from './scene.ts'

const base = content('base', 3_000_000)
const own = content('own', 50_000)
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: unknown) => (isBottleError(error) ? error.code : String(error)),
  )

test('every layer becomes a blob whose content is the layer', async () => {
  const scene = await makeScene()
  const engine = fakeEngine([base, own])
  const stored = await scene.collect(engine.portable)
  expect(stored.layers.map((layer) => layer.diffId)).toEqual([sha(base), sha(own)])
  for (const [at, layer] of stored.layers.entries()) {
    const blob = await readFile(scene.store.blobPath(layer.digest))
    expect(sha(blob)).toBe(layer.digest)
    expect(blob.length).toBe(layer.size)
    expect(gunzipSync(blob).equals([base, own][at] ?? Buffer.alloc(0))).toBe(true)
  }
  expect(SnapshotFacts.parse(stored.facts)).toEqual(stored.facts)
  expect(await readdir(join(scene.store.dir, '.stage'))).toEqual([])
})

test('only what the store lacks is read from the engine', async () => {
  const scene = await makeScene()
  await scene.collect(fakeEngine([base, own]).portable)
  const more = content('more', 40_000)
  const sibling = fakeEngine([base, more])
  await scene.collect(sibling.portable)
  expect(sibling.reads).toEqual([sha(more)])
  const again = fakeEngine([base, more])
  await scene.collect(again.portable)
  expect(again.reads).toEqual([])
})

test('the same blob comes of every route: engine, another codec, another program, a spoilt copy', async () => {
  const scene = await makeScene()
  const [first] = (await scene.collect(fakeEngine([base]).portable)).layers
  if (!first) throw new Error('no layer')
  const empty = async () => rm(scene.store.dir, { recursive: true })

  await empty()
  const [zstd] = (await scene.collect(fakeEngine([base]).portable, undefined, { codec: 'zstd' })).layers
  expect(zstd?.digest).not.toBe(first.digest)
  const recoded = fakeEngine([base])
  expect((await scene.collect(recoded.portable)).layers).toEqual([first])
  expect(recoded.reads).toEqual([])

  await empty()
  const foreign = gzipSync(base, { level: 9 })
  expect(sha(foreign)).not.toBe(first.digest)
  const { digest, size } = await scene.store.putBytes(foreign, 'x/y')
  await scene.store.noteLayer({ ...first, digest, size, isCanonical: false })
  const pulled = fakeEngine([base])
  expect((await scene.collect(pulled.portable)).layers).toEqual([first])
  expect(pulled.reads).toEqual([])

  const spoilt = await readFile(scene.store.blobPath(first.digest))
  spoilt[1000] = (spoilt[1000] ?? 0) ^ 1
  await writeFile(scene.store.blobPath(first.digest), spoilt)
  const healed = fakeEngine([base])
  expect((await scene.collect(healed.portable)).layers).toEqual([first])
  expect(sha(await readFile(scene.store.blobPath(first.digest)))).toBe(first.digest)
})

test('layers that are only told on the way out are collected too', async () => {
  const scene = await makeScene()
  const stored = await scene.collect(fakeEngine([base, own], { diffIds: null, baseLayers: 0 }).portable)
  expect(stored.layers.map((layer) => layer.diffId)).toEqual([sha(base), sha(own)])
})

test('a layer that comes twice in an image is one blob and two layers', async () => {
  const scene = await makeScene()
  const stored = await scene.collect(fakeEngine([own, base, own]).portable)
  expect(stored.layers.map((layer) => layer.diffId)).toEqual([sha(own), sha(base), sha(own)])
})

test('streams that were not wanted are thrown away', async () => {
  const scene = await makeScene()
  const engine = fakeEngine([base])
  const stored = await scene.collect({
    ...engine.portable,
    async readLayers(snapshot, wanted, take, signal) {
      await take({ index: -1, bytes: null, content: pieces(content('other', 9000)) })
      return engine.portable.readLayers(snapshot, wanted, take, signal)
    },
  })
  expect(stored.layers).toHaveLength(1)
  expect(await scene.store.findAnyLayer(sha(content('other', 9000)))).toBeNull()
})

test('an engine that gives other content than it told is not believed', async () => {
  const scene = await makeScene()
  const lying = fakeEngine([base], { diffIds: [sha(own)] })
  const readLayers: typeof lying.portable.readLayers = async (_snapshot, _wanted, take) => [
    await take({ index: 0, bytes: null, content: pieces(base) }),
  ]
  expect(await codeOf(scene.collect({ ...lying.portable, readLayers }))).toBe('engine-failed')
  expect(await scene.store.size()).toBe(0)
  const missing: typeof readLayers = async () => [sha(own)]
  expect(await codeOf(scene.collect({ ...lying.portable, readLayers: missing }))).toBe('engine-failed')
})

test('volumes are blobs of their own, and a changed or missing one is refused', async () => {
  const scene = await makeScene()
  const snapshot = await withVolumes(scene.partsDir, { '/data': own, '/cache': base })
  const stored = await scene.collect(fakeEngine([base]).portable, snapshot)
  expect(stored.volumes.map(({ destination, diffId }) => [destination, diffId])).toEqual([
    ['/data', sha(own)],
    ['/cache', sha(base)],
  ])
  expect(stored.facts.volumes.map(({ sha256 }) => `sha256:${sha256}`)).toEqual([sha(own), sha(base)])

  await rm(scene.store.dir, { recursive: true })
  await writeFile(join(scene.partsDir, '0.tar'), 'something else')
  expect(await codeOf(scene.collect(fakeEngine([base]).portable, snapshot))).toBe('corrupt-state')
  await rm(join(scene.partsDir, '0.tar'))
  expect(await codeOf(scene.collect(fakeEngine([base]).portable, snapshot))).toBe('corrupt-state')
})

test('facts hold no path and no id of the machine', async () => {
  const scene = await makeScene()
  const { facts } = await scene.collect(fakeEngine([base]).portable, snapshotRecord())
  expect(facts.snapshot.leftOut).toEqual(['bind → /workspace', 'tmpfs /tmp'])
  expect(JSON.stringify(facts)).not.toMatch(/c0ffee|secret-project|bot-bottle-committed/)
  expect(facts.snapshot.facts).toEqual({ layers: 2 })
})

test('what would not fit is refused before anything is written', async () => {
  const scene = await makeScene()
  const huge = fakeEngine([base], { bytes: 2 ** 60 })
  expect(await codeOf(scene.collect(huge.portable))).toBe('disk-full')
  expect(huge.reads).toEqual([])
})

test('a cancelled collection ends soon and leaves no half blob', async () => {
  const scene = await makeScene()
  const engine = fakeEngine([base])
  const stop = new AbortController()
  const endless: typeof engine.portable.readLayers = async (_snapshot, _wanted, take) => [
    await take({
      index: 0,
      bytes: null,
      content: (async function* () {
        for (let round = 0; ; round++) {
          if (round === 20) stop.abort()
          yield base
          await new Promise((resolve) => setImmediate(resolve))
        }
      })(),
    }),
  ]
  const failed = codeOf(
    scene.collect({ ...engine.portable, readLayers: endless }, undefined, { signal: stop.signal }),
  )
  expect(await failed).toBe('cancelled')
  expect(await scene.store.size()).toBe(0)
  expect(await readdir(join(scene.store.dir, '.stage'))).toEqual([])
})
