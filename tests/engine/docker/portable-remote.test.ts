import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { createEngine, type Engine } from '../../../src-main/backends/docker/engine.ts'
import { dockerPortable } from '../../../src-main/backends/docker/portable/docker-portable.ts'
import type { LayerFile, LayerStream, Portable, PortableImage } from '../../../src-main/backends/portable.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene } from '../../support/docker-scene.ts'
import { ensureBusyboxImage } from '../../support/images.ts'

// The daemon of this machine, spoken to through the client library and taken for a far one, as over SSH.
let scene: DockerScene
let portable: Portable
let snapshot: Snapshot
let last: RuntimeRef
let told: PortableImage
let diffIds: readonly string[]

beforeAll(async () => {
  scene = await makeDockerScene()
  const near = createEngine(process.env)
  const far: Engine = {
    ...near,
    endpoint: async () => ({
      kind: 'ssh',
      url: 'ssh://far',
      host: 'far',
      port: 22,
      username: null,
      socketPath: null,
      remote: true,
    }),
  }
  portable = dockerPortable(far, scene.root.id, scene.root.dir)
  const { ref } = await scene.run(
    scene.plan(await ensureBusyboxImage(), 'head -c 60000000 /dev/urandom > /big; echo 1 > /one'),
  )
  const { snapshot: first } = await scene.freeze(ref)
  const { ref: next } = await scene.run(scene.planResume(first, 'echo 2 > /two', { previous: ref }))
  last = next
  snapshot = (await scene.freeze(next, first)).snapshot
  told = await portable.describe(snapshot, scene.signal)
  diffIds = told.diffIds ?? []
})
afterAll(() => scene.dispose())

async function digestOf({ content }: LayerStream): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

it('reads layers by a save, never by a push that a far daemon could not make', async () => {
  const offers: (number | null)[] = []
  const take = (layer: LayerStream) => {
    offers.push(layer.bytes)
    return digestOf(layer)
  }
  expect(await portable.readLayers(snapshot, new Set([diffIds[2] ?? '']), take, scene.signal)).toEqual(
    diffIds,
  )
  expect(offers).toEqual([expect.any(Number)])
})

it('stops a save in the middle', async () => {
  const abort = new AbortController()
  const take = async ({ content }: LayerStream) => {
    for await (const _chunk of content) abort.abort()
    return 'x'
  }
  await expect(portable.readLayers(snapshot, null, take, abort.signal)).rejects.toMatchObject({
    code: 'cancelled',
  })
})

const request = (slug: string, layers: ReadonlyMap<string, LayerFile>, ids = diffIds) => ({
  snapshot: { ...snapshot, slug: `${snapshot.slug}-${slug}` },
  rootId: scene.root.id,
  image: { platform: told.platform, config: told.config, createdAt: told.createdAt, diffIds: ids },
  layers,
  verified: Promise.resolve(),
})
const load = (what: ReturnType<typeof request>, signal = scene.signal) =>
  portable.load(what, () => undefined, signal)

it('loads an image, and keeps nothing of one whose source fails or that is cancelled', async () => {
  const made = await load(request('ok', new Map()))
  expect((await portable.describe({ ...snapshot, ...made }, scene.signal)).diffIds).toEqual(diffIds)
  const abort = new AbortController()
  const fresh = (fails: boolean): LayerFile => ({
    diffId: `sha256:${'7'.repeat(64)}`,
    bytes: 4 << 20,
    open: async function* () {
      yield Buffer.alloc(1 << 20)
      if (fails) throw bottleError('disk-full', 'no room to unpack')
      abort.abort()
      yield Buffer.alloc(3 << 20)
    },
  })
  const above = [...diffIds, fresh(true).diffId]
  const broken = request('bad', new Map([[fresh(true).diffId, fresh(true)]]), above)
  await expect(load(broken)).rejects.toMatchObject({ code: 'disk-full', message: 'no room to unpack' })
  const cut = request('cut', new Map([[fresh(false).diffId, fresh(false)]]), above)
  await expect(load(cut, abort.signal)).rejects.toMatchObject({ code: 'cancelled' })
  expect(await portable.heldLayers(above, scene.signal)).toBe(diffIds.length)
  const tags = await must('docker', ['images', '--format', '{{.Repository}}'])
  expect(tags.split('\n').filter((tag) => tag.includes(`${snapshot.slug}-`))).toEqual([
    `bot-bottle-committed-${snapshot.slug}-ok`,
  ])
})

it('weighs, boots and compares', async () => {
  const [sizes] = await portable.sizes([snapshot], scene.signal)
  expect(sizes?.layers).toHaveLength(3)
  const booted = await portable.boot(
    { snapshot, rootId: scene.root.id, check: ['cat', '/two'], timeoutSeconds: 30 },
    scene.signal,
  )
  expect(booted).toMatchObject({ exitCode: 0, output: '2' })
  const { ref } = await scene.run(scene.planResume(snapshot, 'echo 33 > /three', { previous: last }))
  const found = await portable.differences?.(ref, snapshot, scene.signal)
  const three = { path: '/three', kind: 'added', isFolder: false, bytes: 3 }
  expect(found).toContainEqual(expect.objectContaining(three))
})
