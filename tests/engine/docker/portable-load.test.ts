import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type {
  LayerFile,
  LayerStream,
  LoadRequest,
  Portable,
  PortableImage,
} from '../../../src-main/backends/portable.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene } from '../../support/docker-scene.ts'
import { makeImage } from '../../support/images.ts'

let scene: DockerScene
let portable: Portable
let dir: string
let snapshot: Snapshot
let told: PortableImage
let diffIds: readonly string[]
const files = new Map<string, LayerFile & { readonly opened: () => number }>()

beforeAll(async () => {
  scene = await makeDockerScene()
  portable = await scene.backend.portable()
  dir = await mkdtemp(join(tmpdir(), 'icebox-layers-'))
  const base = await makeImage('loaded', ['ENV KEPT=yes', 'VOLUME /vol', 'USER 1000'])
  const plan = scene.plan(base, 'echo work > /workspace/marker; ln /workspace/marker /workspace/twin', {
    user: '0',
  })
  const { ref } = await scene.run(plan)
  snapshot = (await scene.freeze(ref)).snapshot
  told = await portable.describe(snapshot, scene.signal)
  diffIds = told.diffIds ?? []
  await portable.readLayers(snapshot, null, keep, scene.signal)
})
afterAll(async () => {
  await scene.dispose()
  await rm(dir, { recursive: true, force: true })
})

let count = 0

async function keep({ content }: LayerStream): Promise<string> {
  const hash = createHash('sha256')
  const path = join(dir, `layer-${++count}`)
  const file = await open(path, 'w')
  let bytes = 0
  for await (const chunk of content) {
    hash.update(chunk)
    bytes += chunk.length
    await file.write(chunk)
  }
  await file.close()
  const diffId = `sha256:${hash.digest('hex')}`
  let opened = 0
  const openIt = () => {
    opened++
    return createReadStream(path)
  }
  files.set(diffId, { diffId, bytes, open: openIt, opened: () => opened })
  return diffId
}

/** A snapshot of another bottle with the same image. */
function request(changes: Partial<LoadRequest> = {}): LoadRequest {
  const slug = `imported-${scene.root.id.slice(0, 8)}-${++count}`
  return {
    snapshot: { ...snapshot, slug, reference: '', digest: '', volumes: [] },
    rootId: scene.root.id,
    image: { platform: told.platform, config: told.config, createdAt: told.createdAt, diffIds },
    layers: files,
    verified: Promise.resolve(),
    ...changes,
  }
}

const tagOf = ({ snapshot: { slug, id } }: LoadRequest) => `bot-bottle-committed-${slug}:${id}`
const load = (what: LoadRequest, signal = scene.signal) => portable.load(what, () => undefined, signal)
const imageIds = async () => (await must('docker', ['images', '-aq', '--no-trunc'])).trim().split('\n').sort()

/** The engine's own folder of layers. Null where the engine is elsewhere. */
async function layerFolders(): Promise<readonly string[] | null> {
  const root = (await must('docker', ['info', '-f', '{{.DockerRootDir}}'])).trim()
  return readdir(join(root, 'image', 'overlay2', 'layerdb', 'sha256')).catch(() => null)
}

/** Nothing more than before; other tests work on the same engine, so only what came and stayed counts. */
async function isTagThere(what: LoadRequest): Promise<boolean> {
  return (await must('docker', ['images', '-q', tagOf(what)])).trim() !== ''
}

/** A layer that no image has: one file with random content. */
async function freshLayer(): Promise<LayerFile & { readonly opened: () => number }> {
  const sub = await mkdtemp(join(dir, 'fresh-'))
  await must('sh', [
    '-c',
    `head -c 3000000 /dev/urandom > ${sub}/random; tar -C ${sub} -cf ${sub}/layer.tar random`,
  ])
  const before = new Set(files.keys())
  const content = createReadStream(join(sub, 'layer.tar'))
  const diffId = await keep({ index: 0, bytes: null, content })
  const made = files.get(diffId)
  if (!made || before.has(diffId)) throw new Error('no fresh layer')
  files.delete(diffId)
  return made
}

it('loads what was read, as the same layers and config, and resumes with its files', async () => {
  const what = request()
  const phases: string[] = []
  const made = await portable.load(what, ({ phase }) => phases.push(phase), scene.signal)
  expect(made.reference).toBe(tagOf(what))
  expect(made.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(made.facts).toMatchObject({ baseUser: '1000', baseCmd: ['sh'], baseLayers: 1, layers: 2 })
  expect(made.facts).not.toHaveProperty('containerId')
  expect(made.facts).not.toHaveProperty('changesFingerprint')
  const loaded: Snapshot = { ...what.snapshot, ...made }
  const again = await portable.describe(loaded, scene.signal)
  expect(again).toEqual(told)
  const { output } = await scene.run(
    scene.planResume(loaded, 'cat /workspace/marker; echo $KEPT; stat -c %h /workspace/twin'),
  )
  expect(output).toBe('work\nyes\n2\n')
})

it('does not open layers that the engine has', async () => {
  const before = [...files.values()].map(({ opened }) => opened())
  await load(request())
  expect([...files.values()].map(({ opened }) => opened())).toEqual(before)
})

it('loads on top of held layers, and everything when nothing is held', async () => {
  const fresh = await freshLayer()
  const above = [...diffIds, fresh.diffId]
  const layers = new Map([[fresh.diffId, fresh]])
  const what = request({ layers, image: { ...told, diffIds: above } })
  const made = await load(what)
  expect(fresh.opened()).toBe(1)
  expect((await portable.describe({ ...what.snapshot, ...made }, scene.signal)).diffIds).toEqual(above)
  const bottom = await freshLayer()
  // The same layers in another order stand on nothing that the engine has; one of them is there twice.
  const chain = [bottom.diffId, ...diffIds, bottom.diffId]
  const all = request({
    layers: new Map([...files, [bottom.diffId, bottom]]),
    image: { ...told, diffIds: chain },
  })
  const whole = await load(all)
  expect((await portable.describe({ ...all.snapshot, ...whole }, scene.signal)).diffIds).toEqual(chain)
  expect(bottom.opened()).toBe(1)
})

it('labels the image as a freeze would, so that a lost record can be rebuilt, and drops foreign marks', async () => {
  const config = { ...told.config, Labels: { a: 'b', 'dev.icebox.root': 'another', 'dev.icebox.slug': 'x' } }
  const what = request({ image: { ...told, diffIds, config } })
  const made = await load(what)
  const [found] = JSON.parse(await must('docker', ['image', 'inspect', made.reference])) as {
    Config: { Labels: Record<string, string> }
  }[]
  expect(found?.Config.Labels).toEqual({
    a: 'b',
    'dev.icebox.snapshot': what.snapshot.id,
    'dev.icebox.snapshot-root': scene.root.id,
    'dev.icebox.record': expect.any(String),
  })
  const { images } = await scene.backend.inventory(scene.root.id, scene.signal)
  expect(images).toContainEqual(
    expect.objectContaining({ reference: made.reference, slug: what.snapshot.slug, snapshotId: snapshot.id }),
  )
  expect(JSON.parse(found?.Config.Labels['dev.icebox.record'] ?? '')).toMatchObject({
    slug: what.snapshot.slug,
    reference: made.reference,
  })
})

it('names the layers that nobody has', async () => {
  const other = `sha256:${'1'.repeat(64)}`
  const what = request({ image: { ...told, diffIds: [...diffIds, other] }, layers: new Map() })
  await expect(load(what)).rejects.toMatchObject({ code: 'artifact-base-missing', detail: other })
  expect(await isTagThere(what)).toBe(false)
})

it('leaves an image alone that has the name already', async () => {
  const what = request()
  const made = await load(what)
  await expect(load(what)).rejects.toMatchObject({ code: 'exists' })
  expect((await portable.describe({ ...what.snapshot, ...made }, scene.signal)).diffIds).toEqual(diffIds)
})

/** Loads a new layer and expects a failure after which the engine has neither image nor layer nor name. */
async function expectNothing(
  change: (layer: LayerFile) => Partial<LoadRequest> & { readonly signal?: AbortSignal },
  code: string,
): Promise<void> {
  const fresh = await freshLayer()
  const { signal, ...changes } = change(fresh)
  const above = [...diffIds, fresh.diffId]
  const what = request({
    layers: new Map([[fresh.diffId, fresh]]),
    image: { ...told, diffIds: above },
    ...changes,
  })
  await expect(load(what, signal)).rejects.toMatchObject({ code })
  expect(await isTagThere(what)).toBe(false)
  expect(await portable.heldLayers(above, scene.signal)).toBe(diffIds.length)
  const chain = await chainOf(above)
  const folders = await layerFolders()
  if (folders) expect(folders).not.toContain(chain)
}

/** Name of the engine's folder for a chain of layers. */
async function chainOf(ids: readonly string[]): Promise<string> {
  const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
  const chain = ids.slice(1).reduce((below, id) => sha(`${below} ${id}`), ids[0] ?? '')
  return chain.slice('sha256:'.length)
}

it('keeps nothing when the content turns out to be wrong', async () => {
  const wrong = () => Promise.reject(bottleError('artifact-invalid', 'a digest is wrong'))
  await expectNothing(() => ({ verified: wrong() }), 'artifact-invalid')
})

it('keeps nothing when a layer is another one than it says', async () => {
  await expectNothing(
    (fresh) => ({
      layers: new Map([
        [
          fresh.diffId,
          {
            ...fresh,
            open: async function* (signal: AbortSignal) {
              let isFirst = true
              for await (const chunk of fresh.open(signal)) {
                const bytes = Buffer.from(chunk)
                if (isFirst) bytes[1000] = (bytes[1000] ?? 0) ^ 1
                isFirst = false
                yield bytes
              }
            },
          },
        ],
      ]),
    }),
    'engine-failed',
  )
})

it.each([-512, 512])('keeps nothing when a layer’s length is not as told (%d)', async (by) => {
  await expectNothing(
    (fresh) => ({ layers: new Map([[fresh.diffId, { ...fresh, bytes: fresh.bytes + by }]]) }),
    'artifact-invalid',
  )
})

it('keeps nothing when reading a layer fails', async () => {
  await expectNothing(
    (fresh) => ({
      layers: new Map([
        [
          fresh.diffId,
          {
            ...fresh,
            // biome-ignore lint/correctness/useYield: it fails before it has anything
            open: async function* () {
              throw bottleError('disk-full', 'no room to unpack')
            },
          },
        ],
      ]),
    }),
    'disk-full',
  )
})

it('keeps nothing when it is cancelled: on the way, and while waiting for the verification', async () => {
  const onTheWay = new AbortController()
  await expectNothing(
    (fresh) => ({
      signal: onTheWay.signal,
      layers: new Map([
        [
          fresh.diffId,
          {
            ...fresh,
            open: async function* (signal: AbortSignal) {
              for await (const chunk of fresh.open(signal)) {
                onTheWay.abort()
                yield chunk
              }
            },
          },
        ],
      ]),
    }),
    'cancelled',
  )
  const atTheEnd = new AbortController()
  await expectNothing(
    (fresh) => ({
      signal: atTheEnd.signal,
      verified: new Promise<void>(() => {}),
      layers: new Map([
        [
          fresh.diffId,
          {
            ...fresh,
            open: async function* (signal: AbortSignal) {
              yield* fresh.open(signal)
              setImmediate(() => atTheEnd.abort())
            },
          },
        ],
      ]),
    }),
    'cancelled',
  )
})

it('takes the image back when it is cancelled after the engine had everything', async () => {
  const abort = new AbortController()
  const verified = new Promise<void>((resolve) => setTimeout(resolve, 100))
  // Heard first, but run after everything that the promise sets going: the archive's end is given away by then.
  verified.then(() => setImmediate(() => abort.abort()))
  await expectNothing(() => ({ signal: abort.signal, verified }), 'cancelled')
})

it('weighs nothing twice: image list as before after all that failed', async () => {
  const before = await imageIds()
  const bad = request({ verified: Promise.reject(bottleError('artifact-invalid')) })
  await expect(load(bad)).rejects.toMatchObject({ code: 'artifact-invalid' })
  const ours = (await imageIds()).filter((id) => !before.includes(id))
  for (const id of ours) {
    const labels = await must('docker', ['image', 'inspect', '-f', '{{json .Config.Labels}}', id]).catch(
      () => '',
    )
    expect(labels).not.toContain(bad.snapshot.slug)
  }
})
