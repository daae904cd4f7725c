import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LayerSizes, Portable } from '../../../src-main/backends/portable.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { must } from '../../support/busybox-image.ts'
import { type DockerScene, makeDockerScene } from '../../support/docker-scene.ts'
import { makeImage } from '../../support/images.ts'

let scene: DockerScene
let portable: Portable
let image: string
beforeAll(async () => {
  scene = await makeDockerScene()
  portable = await scene.backend.portable()
  image = await makeImage('weighed', ['ENV A=b', 'LABEL c=d'])
})
afterAll(() => scene.dispose())

const sum = ({ layers }: LayerSizes) => layers.reduce((total, layer) => total + layer.bytes, 0)
const imageBytes = async (reference: string) =>
  Number((await must('docker', ['image', 'inspect', '-f', '{{.Size}}', reference])).trim())

async function chain(): Promise<{ first: Snapshot; second: Snapshot; refs: readonly string[] }> {
  const { ref } = await scene.run(scene.plan(image, 'head -c 100000 /dev/urandom > /a'))
  const { snapshot: first } = await scene.freeze(ref)
  const { ref: next } = await scene.run(
    scene.planResume(first, 'head -c 50000 /dev/urandom > /b', { previous: ref }),
  )
  const { snapshot: second } = await scene.freeze(next, first)
  return { first, second, refs: [ref.id, next.id] }
}

it('weighs layers so that they add up to the image, and shared ones have one key', async () => {
  const { first, second, refs } = await chain()
  await must('docker', ['rm', '-f', ...refs])
  const [one, two] = await portable.sizes([first, second], scene.signal)
  if (!one || !two) throw new Error('no sizes')
  expect(one.snapshotId).toBe(first.id)
  expect(sum(one)).toBe(await imageBytes(first.reference))
  expect(sum(two)).toBe(await imageBytes(second.reference))
  expect(two.layers.slice(0, 2)).toEqual(one.layers)
  expect(one.layers[1]?.bytes).toBeGreaterThanOrEqual(100_000)
  expect(two.layers[2]?.bytes).toBeGreaterThanOrEqual(50_000)
  expect(new Set(two.layers.map(({ key }) => key)).size).toBe(3)
  // The base is somebody's; the rest is only ours.
  expect(one.usedElsewhere).toEqual([one.layers[0]?.key])
  expect(two.usedElsewhere).toEqual([two.layers[0]?.key])
  // Not asked about, the second is as good as somebody else's.
  const [alone] = await portable.sizes([first], scene.signal)
  expect(alone?.usedElsewhere).toEqual(one.layers.map(({ key }) => key))
})

it('knows what containers and other names keep', async () => {
  const { first, second, refs } = await chain()
  const [, two] = await portable.sizes([first, second], scene.signal)
  // The second run's container stands on the first snapshot.
  expect(two?.usedElsewhere).toEqual(two?.layers.slice(0, 2).map(({ key }) => key))
  await must('docker', ['rm', '-f', ...refs])
  const name = `icebox-test/kept-${scene.root.id}:1`
  await must('docker', ['tag', second.reference, name])
  try {
    const [, kept] = await portable.sizes([first, second], scene.signal)
    expect(kept?.usedElsewhere).toEqual(kept?.layers.map(({ key }) => key))
  } finally {
    await must('docker', ['rmi', name])
  }
})

it('gives a snapshot whose image is gone no weight', async () => {
  const { first } = await chain()
  const gone = { ...first, id: '20200101T000000Z-aaaa', reference: 'bot-bottle-committed-nobody:1' }
  const sizes = await portable.sizes([gone, first], scene.signal)
  expect(sizes[0]).toEqual({ snapshotId: gone.id, layers: [], usedElsewhere: [] })
  expect(sizes[1]?.layers).toHaveLength(2)
  expect(await portable.sizes([], scene.signal)).toEqual([])
})

it('tells what a container changed since the snapshot that it was launched from', async () => {
  const { ref } = await scene.run(
    scene.plan(image, 'echo 1 > /changed; echo 2 > /removed; mkdir /kept; echo x > /kept/x'),
  )
  const { snapshot } = await scene.freeze(ref)
  const script =
    'echo longer > /changed; rm /removed; mkdir /dir; ln -s /nowhere /dir/link; echo ü > /dir/fü; echo y > /kept/y; sleep 100'
  const next = await scene.launch(scene.planResume(snapshot, script, { previous: ref }))
  const differences = async () => {
    const found = await portable.differences?.(next, snapshot, scene.signal)
    return found
      ?.filter(({ path }) => !path.startsWith('/run') && !path.startsWith('/bin'))
      .map(({ path, kind, isFolder, bytes }) => ({ path, kind, isFolder, bytes }))
  }
  await expect.poll(differences, { timeout: 20_000 }).toEqual([
    { path: '/changed', kind: 'changed', isFolder: false, bytes: 7 },
    { path: '/dir', kind: 'added', isFolder: true, bytes: null },
    { path: Buffer.from('/dir/fü').toString('latin1'), kind: 'added', isFolder: false, bytes: 3 },
    { path: '/dir/link', kind: 'added', isFolder: false, bytes: null },
    { path: '/kept', kind: 'changed', isFolder: true, bytes: null },
    { path: '/kept/y', kind: 'added', isFolder: false, bytes: 2 },
    { path: '/removed', kind: 'removed', isFolder: false, bytes: null },
  ])
  const { snapshot: later } = await scene.freeze(next, snapshot)
  // It runs on, and its list of changes is against the first one.
  expect(await portable.differences?.(next, later, scene.signal)).toBeNull()
  const launch = await portable.changesSinceLaunch?.(next, scene.signal)
  expect(launch?.diffIds).toEqual((await portable.describe(snapshot, scene.signal)).diffIds)
  const changed = launch?.changes.find(({ path }) => path === '/changed')
  expect(changed).toMatchObject({ kind: 'changed', bytes: 7, mode: 0o644 })
  expect(changed?.modified).toBeGreaterThan(Date.now() / 1000 - 600)
})

it('tells that a container which stood still since it was frozen is the same; anything else it does not know', async () => {
  const { ref } = await scene.run(scene.plan(image, 'echo 1 > /one'))
  const { snapshot } = await scene.freeze(ref)
  const { ref: other } = await scene.run(scene.plan(image, 'echo 1 > /one'))
  expect(await portable.differences?.(ref, snapshot, scene.signal)).toEqual([])
  expect(await portable.differences?.(other, snapshot, scene.signal)).toBeNull()
  await scene.backend.remove(ref, scene.signal)
  expect(await portable.differences?.(ref, snapshot, scene.signal)).toBeNull()
})
