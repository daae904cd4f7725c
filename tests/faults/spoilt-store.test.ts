import { open, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Snapshot } from '../../src-preload/contract/entities.ts'
import {
  type ArtifactScene,
  allProblems,
  exportsTheSame,
  makeArtifactScene,
} from '../support/fault-artifacts.ts'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'
import { namesIn, storeProblems } from '../support/store-check.ts'

let image = ''
let world: World | undefined
let scene: ArtifactScene

beforeAll(async () => {
  image = await makeWorldImage()
  world = await makeWorld('docker', image, { inProcess: true })
  scene = await makeArtifactScene(world)
  expect(await exportsTheSame(scene, 'fresh.bottle')).toBe(true)
})
afterAll(async () => {
  await world?.end()
  await removeWorldImage(image)
})

const inHome = (...path: readonly string[]) => join(scene.world.home.dir, ...path)
const blobs = async () =>
  (await namesIn(inHome('artifacts/blobs/sha256'))).map((name) => inHome('artifacts/blobs/sha256', name))
const notes = async () =>
  (await namesIn(inHome('icebox/layers'))).map((name) => inHome('icebox/layers', name))

/** Turns over one bit in the middle of a file. */
async function flip(path: string): Promise<void> {
  const at = Math.floor((await stat(path)).size / 2)
  const handle = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at)
  await handle.close()
}

async function halve(path: string): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size / 2))
}

test.each([
  ['one flipped bit in each', flip],
  ['each cut in half', halve],
  ['each empty', (path: string) => truncate(path, 0)],
])('blobs: with %s, an export makes them again', async (_how, spoil) => {
  for (const path of await blobs()) await spoil(path)
  expect(await storeProblems(scene.world.home.dir)).not.toEqual([])
  expect(await exportsTheSame(scene, 'again.bottle')).toBe(true)
  expect(await allProblems(scene)).toEqual([])
})

test('blobs: a proof of restore finds the spoilt ones, and leaves no image that lacks some', async () => {
  for (const path of await blobs()) await flip(path)
  const { home } = scene.world
  const { json } = await home.must(['verify', `${scene.slug}@${scene.second}`])
  expect((json as { readonly snapshot: Snapshot }).snapshot.verified?.outcome).toBe('passed')
  // What only a spoilt manifest named is nobody's now.
  await home.must(['prune', '--yes'])
  expect(await storeProblems(home.dir)).toEqual([])
  expect(await exportsTheSame(scene, 'verified.bottle')).toBe(true)
  expect(await allProblems(scene)).toEqual([])
})

test('notes of layers: damaged ones are made again, and none is believed', async () => {
  for (const garbage of ['', '{"half":', '[]', '{"version":1,"digest":"../../etc/passwd","size":1}']) {
    for (const path of await notes()) await writeFile(path, garbage)
    expect(await exportsTheSame(scene, 'noted.bottle'), garbage).toBe(true)
  }
  const [one = '', two = ''] = await notes()
  const [first, second] = [await readFile(one), await readFile(two)]
  await writeFile(one, second)
  await writeFile(two, first)
  expect(await exportsTheSame(scene, 'swapped.bottle')).toBe(true)
  expect(await allProblems(scene)).toEqual([])
})

test('the index: damaged, it is set aside and told anew, and no collection takes the blobs away', async () => {
  const { home } = scene.world
  const index = inHome('artifacts/index.json')
  const good = JSON.parse(await readFile(index, 'utf8')) as unknown
  const before = await blobs()
  for (const garbage of ['', '{"schemaVersion":2,"manif', '[]', '{}', '\0\u0001']) {
    await writeFile(index, garbage)
    await home.must(['prune', '--yes'])
    expect(await blobs(), garbage).toEqual(before)
    expect(await exportsTheSame(scene, 'indexed.bottle'), garbage).toBe(true)
    expect(JSON.parse(await readFile(index, 'utf8'))).toEqual(good)
    expect(await allProblems(scene)).toEqual([])
  }
  expect((await namesIn(inHome('icebox/quarantine'))).length).toBeGreaterThan(3)
})

test('files half-written: old ones are swept, young ones may be somebody’s', async () => {
  const { home } = scene.world
  const folders = ['artifacts', 'artifacts/blobs/sha256', 'icebox/layers']
  const temps = folders.map((folder) => inHome(folder, '.a.json.0123456789ab.tmp'))
  for (const path of temps) await writeFile(path, '{"half":')
  await home.must(['prune', '--yes'])
  for (const path of temps) expect((await stat(path)).size).toBe(8)
  for (const path of temps) await utimes(path, new Date(0), new Date(0))
  await home.must(['prune', '--yes'])
  for (const path of temps) await expect(stat(path)).rejects.toThrow('ENOENT')
  expect(await exportsTheSame(scene, 'swept.bottle')).toBe(true)
})
