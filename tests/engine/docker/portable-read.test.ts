import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { readPushedLayers } from '../../../src-main/backends/docker/portable/pushed-layers.ts'
import {
  sweepTransferTags,
  tagForTransfer,
  transferRepository,
} from '../../../src-main/backends/docker/portable/transfer-tags.ts'
import type { LayerStream, Portable } from '../../../src-main/backends/portable.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage, makeImage } from '../../support/images.ts'

let scene: DockerScene
let image: string
let portable: Portable
/** Base (large), first snapshot, second snapshot on top of it. */
let first: Snapshot
let second: Snapshot
let diffIds: readonly string[]

/** So much that a push of the small layer on top of it costs less than a save of all. */
const BIG = 32_000_000

beforeAll(async () => {
  image = await ensureBusyboxImage()
  scene = await makeDockerScene()
  portable = await scene.backend.portable()
  const { ref } = await scene.run(scene.plan(image, `head -c ${BIG} /dev/urandom > /big; echo one > /one`))
  first = (await scene.freeze(ref)).snapshot
  const { ref: next } = await scene.run(
    scene.planResume(first, 'head -c 500000 /dev/urandom > /two', { previous: ref }),
  )
  second = (await scene.freeze(next, first)).snapshot
  diffIds = (await portable.describe(second, scene.signal)).diffIds ?? []
})
afterAll(() => scene.dispose())

const digestOf = (content: AsyncIterable<Uint8Array>) =>
  (async () => {
    const hash = createHash('sha256')
    for await (const chunk of content) hash.update(chunk)
    return `sha256:${hash.digest('hex')}`
  })()

/** Takes everything and notes what it was. */
function taker() {
  const offers: { index: number; bytes: number | null; digest: string }[] = []
  const take = async (layer: LayerStream) => {
    const digest = await digestOf(layer.content)
    offers.push({ index: layer.index, bytes: layer.bytes, digest })
    return digest
  }
  return { offers, take }
}

const transferTags = async () =>
  (await must('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}']))
    .split('\n')
    .filter((tag) => tag.includes(`icebox-transfer/${scene.root.id}`))

it('describes a snapshot: config without our marks, layers, and how many of them are the base’s', async () => {
  const own = await makeImage('described', ['ENV B=2 A=1', 'LABEL z=1 a=2', 'EXPOSE 80/tcp', 'USER 1000'])
  const { ref } = await scene.run(scene.plan(own, 'true', { env: { RUN: 'x' } }))
  const { snapshot } = await scene.freeze(ref)
  const told = await portable.describe(snapshot, scene.signal)
  expect(told.config).toEqual({
    Cmd: ['sh'],
    Env: expect.arrayContaining(['A=1', 'B=2']),
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: '2', z: '1' },
    User: '1000',
    WorkingDir: '/workspace',
  })
  expect(Object.keys(told.config)).toEqual(Object.keys(told.config).sort())
  expect(told).toMatchObject({ platform: { os: 'linux' }, baseLayers: 1 })
  expect(told.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(told.diffIds).toHaveLength(2)
  expect(await portable.describe(snapshot, scene.signal)).toEqual(told)
})

it('carries the base’s layers along a chain of resumes, and finds them for records that do not tell', async () => {
  expect(diffIds).toHaveLength(3)
  expect(second.facts.baseLayers).toBe(1)
  expect((await portable.describe(second, scene.signal)).baseLayers).toBe(1)
  const { baseLayers: _gone, ...facts } = second.facts
  expect((await portable.describe({ ...second, facts }, scene.signal)).baseLayers).toBe(1)
})

it('knows no base below flattened layers', async () => {
  const flat = await makeDockerScene({ flattenAt: 1 })
  try {
    const { ref } = await flat.run(flat.plan(image, 'echo 1 > /one'))
    const { snapshot } = await flat.freeze(ref)
    expect(snapshot.facts.baseLayers).toBe(0)
    expect(await portable.describe(snapshot, flat.signal)).toMatchObject({ baseLayers: 0 })
  } finally {
    await flat.dispose()
  }
})

it('says that a snapshot is missing, also when its tag is another image now', async () => {
  const gone = { ...first, reference: 'bot-bottle-committed-nobody:1' }
  const other = { ...first, digest: `sha256:${'0'.repeat(64)}` }
  for (const snapshot of [gone, other]) {
    await expect(portable.describe(snapshot, scene.signal)).rejects.toMatchObject({
      code: 'snapshot-missing',
    })
    await expect(portable.readLayers(snapshot, null, taker().take, scene.signal)).rejects.toMatchObject({
      code: 'snapshot-missing',
    })
  }
})

it('reads all layers, each once, at their places, with their bytes', async () => {
  const { offers, take } = taker()
  expect(await portable.readLayers(second, null, take, scene.signal)).toEqual(diffIds)
  expect([...offers].sort((left, right) => left.index - right.index)).toEqual(
    diffIds.map((digest, index) => ({ index, digest, bytes: expect.any(Number) })),
  )
})

it('reads one small layer of a large image by a push, and leaves no name behind', async () => {
  const top = diffIds[2] ?? ''
  const { offers, take } = taker()
  expect(await portable.readLayers(second, new Set([top]), take, scene.signal)).toEqual(diffIds)
  // The save tells bytes, the push does not: so this was the push, and nothing else was offered.
  expect(offers).toEqual([{ index: 2, bytes: null, digest: top }])
  expect(await transferTags()).toEqual([])
  await must('docker', ['image', 'inspect', second.reference])
})

it('reads a large layer by a save, and offers only what is wanted', async () => {
  const base = diffIds[1] ?? ''
  const { offers, take } = taker()
  await portable.readLayers(second, new Set([base]), take, scene.signal)
  expect(offers).toEqual([{ index: 1, bytes: expect.any(Number), digest: base }])
})

it('holds back unwanted layers of a push and gets past them when there is no other way', async () => {
  const { ref } = await scene.run(scene.plan(image, 'true'))
  let snapshot = (await scene.freeze(ref)).snapshot
  let previous = ref
  for (let count = 0; count < 7; count++) {
    const { ref: next } = await scene.run(
      scene.planResume(snapshot, `head -c 30000 /dev/urandom > /f${count}`, { previous }),
    )
    snapshot = (await scene.freeze(next, snapshot)).snapshot
    previous = next
  }
  const told = await portable.describe(snapshot, scene.signal)
  const ids = told.diffIds ?? []
  const lowest = ids[2] ?? ''
  const { offers, take } = taker()
  const request = {
    imageId: snapshot.digest,
    rootId: scene.root.id,
    diffIds: ids,
    sizes: ids.map(() => 1),
    wanted: new Set([lowest]),
  }
  const engine = createEngine(process.env)
  expect([...(await readPushedLayers(engine, request, take, scene.signal))]).toEqual([lowest])
  expect(offers).toEqual([{ index: 2, bytes: null, digest: lowest }])
  expect(await transferTags()).toEqual([])
})

it('gets everything by a push alone when asked to', async () => {
  const { offers, take } = taker()
  const request = {
    imageId: second.digest,
    rootId: scene.root.id,
    diffIds,
    sizes: [],
    wanted: new Set(diffIds),
  }
  const taken = await readPushedLayers(createEngine(process.env), request, take, scene.signal)
  expect([...taken].sort()).toEqual([...diffIds].sort())
  expect(offers.map(({ digest }) => digest).sort()).toEqual([...diffIds].sort())
})

it('takes a push that can’t be made for no error, so that the save is left', async () => {
  const missing = `sha256:${'0'.repeat(64)}`
  const request = { imageId: missing, rootId: scene.root.id, diffIds, sizes: [], wanted: new Set(diffIds) }
  const { offers, take } = taker()
  const taken = await readPushedLayers(createEngine(process.env), request, take, scene.signal)
  expect(taken.size + offers.length).toBe(0)
})

it.each(['save', 'push'])('passes on what the taker throws (%s) and leaves nothing', async (route) => {
  const wanted = route === 'save' ? null : new Set([diffIds[2] ?? ''])
  const take = async ({ content }: LayerStream) => {
    for await (const _chunk of content) throw bottleError('disk-full', 'no room')
    return ''
  }
  await expect(portable.readLayers(second, wanted, take, scene.signal)).rejects.toMatchObject({
    code: 'disk-full',
    message: 'no room',
  })
  expect(await transferTags()).toEqual([])
})

it.each(['save', 'push'])(
  'stops when the signal aborts (%s): the stream fails, no name stays',
  async (route) => {
    const wanted = route === 'save' ? null : new Set([diffIds[2] ?? ''])
    const abort = new AbortController()
    let outcome = 'never read'
    const take = async ({ content }: LayerStream) => {
      try {
        for await (const _chunk of content) {
          abort.abort()
          outcome = 'reading'
        }
        outcome = 'read to the end'
      } catch (thrown) {
        outcome = 'failed'
        throw thrown
      }
      return 'x'
    }
    await expect(portable.readLayers(second, wanted, take, abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    })
    expect(outcome).not.toBe('never read')
    expect(await transferTags()).toEqual([])
  },
)

it('gives no layers for a success when the taker did not take them', async () => {
  const take = async () => 'sha256:other'
  for (const wanted of [null, new Set([diffIds[2] ?? ''])]) {
    await expect(portable.readLayers(second, wanted, take, scene.signal)).rejects.toMatchObject({
      code: 'engine-failed',
    })
  }
})

it('sweeps names that a dead process left, never those of a living one, and never the image', async () => {
  const engine = createEngine(process.env)
  const own = `127.0.0.1:9/${await transferRepository(scene.root.id)}`
  const dead = own.replace(/\/\d+-[0-9a-f]{12}-/, '/999999999-000000000000-')
  await tagForTransfer(engine, second.digest, own, scene.signal)
  await tagForTransfer(engine, second.digest, dead, scene.signal)
  expect(await transferTags()).toHaveLength(2)
  const { images } = await scene.backend.inventory(scene.root.id, scene.signal)
  expect(images.filter(({ reference }) => reference.includes('icebox-transfer'))).toEqual([])
  expect(await transferTags()).toEqual([`${own}:t`])
  await sweepTransferTags(engine, 'another-root', scene.signal)
  expect(await transferTags()).toEqual([`${own}:t`])
  await must('docker', ['rmi', `${own}:t`])
  await must('docker', ['image', 'inspect', second.reference])
})

it('counts the layers of a chain that the engine holds', async () => {
  const other = `sha256:${'1'.repeat(64)}`
  const held = (ids: readonly string[]) => portable.heldLayers(ids, scene.signal)
  expect(await held(diffIds)).toBe(3)
  expect(await held([...diffIds, other])).toBe(3)
  expect(await held([diffIds[0] ?? '', other])).toBe(1)
  expect(await held([other, ...diffIds])).toBe(0)
  expect(await held([])).toBe(0)
})

it('leaves no transfer half-way on the engine', async () => {
  await until(async () => (await transferTags()).length === 0)
})
