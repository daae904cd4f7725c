import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createMacosContainerBackend } from '../../src-main/backends/macos-container/macos-container-backend.ts'
import { readSavedImage } from '../../src-main/backends/macos-container/saved-image.ts'
import type { LayerStream, LoadRequest, Portable } from '../../src-main/backends/portable.ts'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { exportTo, importFrom } from '../support/artifact-trip.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { loadLayers } from '../support/container-images.ts'
import { MACHINE_ARCHITECTURE } from '../support/doubles/lib/image-archive.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const never = new AbortController().signal
const CONFIG = {
  Env: ['PATH=/bin', 'KEY=value'],
  Cmd: ['sh'],
  WorkingDir: '/work',
  ExposedPorts: { '80/tcp': {} },
  Labels: { mine: 'x' },
}

let world: ContainerWorld
let tests: TestBottles
let portable: Portable
let rootId = ''
let slug = ''
let snapshot: Snapshot
/** The same, brought in again. */
let twin: Snapshot | undefined
beforeAll(async () => {
  world = await makeContainerWorld('1.2.2')
  const image = 'docker.io/library/odd:1'
  await loadLayers(world, { reference: image, config: CONFIG, layers: [] })
  tests = await makeTestBottles(`backend: macos-container\nimage: ${image}`, undefined, world.double.env)
  slug = (await tests.run('echo marker > /kept; ln /kept /hard', 'source')).slug
  snapshot = (await tests.icebox.bottles.freeze({ slug }, tests.context())).snapshot
  rootId = (await tests.home.rootId()) ?? ''
  portable = await createMacosContainerBackend({
    rootId,
    home: tests.home.dir,
    env: world.double.env,
  }).portable()
})
afterEach(() => world.double.setKnobs({}))
afterAll(async () => {
  await tests?.dispose()
  await world?.double.dispose()
})

const scratch = async () =>
  (await readdir(join(tests.home.dir, 'icebox'))).filter((name) => /^macos-container-\d/.test(name))
const images = () => world.must(['image', 'list', '-q']).trim().split('\n')
const containers = () => JSON.parse(world.must(['list', '--all', '--format', 'json'])) as unknown[]

async function take(layer: LayerStream): Promise<{ digest: string; bytes: Buffer }> {
  const { createHash } = await import('node:crypto')
  const chunks: Uint8Array[] = []
  for await (const chunk of layer.content) chunks.push(Buffer.from(chunk))
  const bytes = Buffer.concat(chunks)
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes }
}

it('tells a snapshot as an image, with all of its config, and gives its layers', async () => {
  const told = await portable.describe(snapshot, never)
  expect(told.config).toEqual(CONFIG)
  expect(told.platform).toMatchObject({ os: 'linux', architecture: MACHINE_ARCHITECTURE })
  expect(told).toMatchObject({ createdAt: snapshot.createdAt, baseLayers: 0, bytes: snapshot.bytes })
  const taken: string[] = []
  const all = await portable.readLayers(
    snapshot,
    null,
    async (layer) => {
      const { digest, bytes } = await take(layer)
      expect(layer).toMatchObject({ index: 0, bytes: bytes.length })
      taken.push(digest)
      return digest
    },
    never,
  )
  expect(all).toEqual(told.diffIds)
  expect(taken).toEqual(told.diffIds)
  const from = world.double.calls().length
  const refuse = () => Promise.reject(new Error('not wanted'))
  expect(await portable.readLayers(snapshot, new Set(['sha256:other']), refuse, never)).toEqual(all)
  expect(
    world.double
      .calls()
      .slice(from)
      .map(({ argv }) => argv[1]),
  ).toEqual(['inspect'])
  expect(await scratch()).toEqual([])
})

it('leaves nothing when a layer is not taken to its end', async () => {
  const stop = new Error('enough')
  await expect(portable.readLayers(snapshot, null, () => Promise.reject(stop), never)).rejects.toBe(stop)
  world.double.setKnobs({ faults: [{ verb: 'image save', kind: 'kill', bytes: 1000 }] })
  await expect(portable.readLayers(snapshot, null, () => Promise.reject(stop), never)).rejects.toMatchObject({
    code: 'engine-failed',
  })
  expect(await scratch()).toEqual([])
})

it('exports a bottle to an archive that other tools read, and imports it again', async () => {
  const file = join(tests.home.dir, 'out.bottle')
  await exportTo(tests, slug, file, 'none')
  expect((await stat(file)).size).toBeGreaterThan(1_000_000)
  const { config } = await readSavedImage(file, { os: 'linux', architecture: MACHINE_ARCHITECTURE })
  expect(config).toMatchObject({ config: { Cmd: ['sh'], WorkingDir: '/work' } })
  const imported = await importFrom(tests, file)
  expect(imported.backend).toBe('macos-container')
  expect(imported.slug).not.toBe(slug)
  expect(await tests.resume(imported.slug, 'cat /kept /hard; echo $KEY')).toBe(0)
  expect(await tests.output(imported.slug)).toBe('marker\nmarker\nvalue\n')
  twin = (await tests.icebox.bottles.snapshots(imported.slug)).find(({ id }) => id === imported.snapshot)
  expect(twin && (await portable.describe(twin, never)).config).toEqual(CONFIG)
  await rm(file)
})

/** The snapshot's own layers as a request to load them under another id. */
async function loadRequest(more: Partial<LoadRequest> = {}): Promise<LoadRequest> {
  const layers: LoadRequest['layers'] = new Map()
  const told = await portable.describe(snapshot, never)
  await portable.readLayers(
    snapshot,
    null,
    async (layer) => {
      const { digest, bytes } = await take(layer)
      const open = async function* () {
        yield bytes
      }
      ;(layers as Map<string, unknown>).set(digest, { diffId: digest, bytes: bytes.length, open })
      return digest
    },
    never,
  )
  return {
    snapshot: { ...snapshot, id: '20260101T000000Z-load', slug: 'loaded', reference: '', digest: '' },
    rootId,
    image: { ...told, diffIds: told.diffIds ?? [] },
    layers,
    verified: Promise.resolve(),
    ...more,
  }
}

it('loads nothing before all was verified, and keeps nothing of a failure', async () => {
  const before = images()
  const bad = Object.assign(new Error('bad'), { code: 'artifact-invalid' })
  const verified = Promise.reject(bad)
  verified.catch(() => {})
  const unproven = await loadRequest({ verified })
  await expect(portable.load(unproven, () => {}, never)).rejects.toThrow()
  const lacking = await loadRequest({ layers: new Map() })
  await expect(portable.load(lacking, () => {}, never)).rejects.toMatchObject({
    code: 'artifact-base-missing',
  })
  world.double.setKnobs({ faults: [{ verb: 'image load', kind: 'disk-full', bytes: 1000 }] })
  await expect(portable.load(await loadRequest(), () => {}, never)).rejects.toMatchObject({
    code: 'disk-full',
  })
  world.double.setKnobs({ faults: [{ verb: 'image load', kind: 'kill-after' }] })
  await expect(portable.load(await loadRequest(), () => {}, never)).rejects.toMatchObject({
    code: 'engine-failed',
  })
  world.double.setKnobs({})
  expect(images()).toEqual(before)
  expect(await scratch()).toEqual([])
  const made = await portable.load(await loadRequest(), () => {}, never)
  expect(made).toMatchObject({ bytes: snapshot.bytes, ownBytes: snapshot.bytes })
  await expect(portable.load(await loadRequest(), () => {}, never)).rejects.toMatchObject({ code: 'exists' })
  expect(images()).toContain(made.reference)
  world.must(['image', 'delete', made.reference])
})

it('weighs each snapshot by its own layer', async () => {
  const other = { ...snapshot, id: '20260101T000000Z-gone', reference: 'bot-bottle-committed-x:gone' }
  const [own, gone] = await portable.sizes([snapshot, other], never)
  expect(own?.layers.map(({ bytes }) => bytes)).toEqual([snapshot.bytes])
  // The same files are the same layer to the engine, whoever brought them.
  expect(own?.usedElsewhere).toEqual(own?.layers.map(({ key }) => key))
  const [alone] = await portable.sizes(twin ? [snapshot, twin] : [], never)
  expect(alone?.usedElsewhere).toEqual([])
  expect(gone).toEqual({ snapshotId: other.id, layers: [], usedElsewhere: [] })
})

it('boots a snapshot for a proof and takes it away again; a check needs a network that can be taken away', async () => {
  const before = containers().length
  const request = { snapshot, rootId, check: null, timeoutSeconds: 20 }
  expect(await portable.boot(request, never)).toEqual({ check: null, exitCode: 0, output: '' })
  await expect(portable.boot({ ...request, check: ['cat', '/kept'] }, never)).rejects.toMatchObject({
    code: 'policy-unenforceable',
  })
  world.double.setKnobs({
    faults: [{ verb: 'start', kind: 'fail', message: 'Error: the disk image is broken' }],
  })
  expect(await portable.boot(request, never)).toMatchObject({ exitCode: 126 })
  world.double.setKnobs({ serviceDown: true })
  await expect(portable.boot(request, never)).rejects.toMatchObject({ code: 'engine-down' })
  world.double.setKnobs({})
  expect(containers()).toHaveLength(before)
  const lost = { ...snapshot, reference: 'bot-bottle-committed-x:lost' }
  await expect(portable.boot({ ...request, snapshot: lost }, never)).rejects.toMatchObject({
    code: 'snapshot-missing',
  })
})
