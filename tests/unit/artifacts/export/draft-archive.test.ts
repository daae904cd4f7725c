import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openArchiveFile } from '../../../../src-main/artifacts/export/archive-file.ts'
import { draftArchive, plainArchive } from '../../../../src-main/artifacts/export/draft-archive.ts'
import { planArchive } from '../../../../src-main/artifacts/export/plan-archive.ts'
import { putSnapshot } from '../../../../src-main/artifacts/export/put-snapshot.ts'
import { archiveBytes } from '../../../../src-main/artifacts/export/write-archive.ts'
import type { StoredLayer } from '../../../../src-main/artifacts/store/types.ts'
import { fakeEngine, layerTar, makeScene, signal } from './scene.ts'

const layers = [layerTar('a', 70_000), layerTar('b', 9_000), layerTar('c', 40_000)]

async function setUp() {
  const scene = await makeScene()
  const stored = await scene.collect(fakeEngine(layers).portable)
  const put = await putSnapshot(scene.store, stored)
  const { members } = planArchive(stored, put, { thin: false })
  const folder = scene.root.path('out')
  await mkdir(folder)
  let counted = 0
  const source = {
    store: scene.store,
    signal,
    onBytes: (bytes: number) => {
      counted += bytes
    },
  }
  const plain = await openArchiveFile(join(folder, 'plain'))
  await plainArchive(plain, source).complete(members)
  await plain.finish()
  expect(counted).toBe(archiveBytes(members))
  counted = 0
  const expected = await readFile(join(folder, 'plain'))
  const drafted = async (guess: readonly StoredLayer[]) => {
    counted = 0
    const sink = await openArchiveFile(join(folder, 'draft'))
    const draft = draftArchive(sink, source)
    for (const layer of guess) draft.addLayer(layer)
    await draft.complete(members)
    await draft.settle()
    await sink.finish()
    expect(counted).toBe(archiveBytes(members))
    return (await readFile(join(folder, 'draft'))).equals(expected)
  }
  return { stored, folder, drafted, source, scene }
}

test('an archive that was begun early is the planned one, however much of the guess was right', async () => {
  const { stored, drafted } = await setUp()
  const [a, b, c] = stored.layers
  if (!a || !b || !c) throw new Error('three layers')
  expect(await drafted([])).toBe(true)
  expect(await drafted([a, b, c])).toBe(true)
  expect(await drafted([a])).toBe(true)
  // A search for secrets changed the second one, or the first.
  expect(await drafted([a, c])).toBe(true)
  expect(await drafted([c, b, a])).toBe(true)
  // The same content twice is written once.
  expect(await drafted([a, a, b])).toBe(true)
})

test('a draft that could not be written is told at the next layer, and leaves nothing', async () => {
  const { stored, folder, source } = await setUp()
  const [a] = stored.layers
  if (!a) throw new Error('a layer')
  const sink = await openArchiveFile(join(folder, 'broken'))
  const draft = draftArchive(sink, source)
  draft.addLayer({ ...a, digest: `sha256:${'0'.repeat(64)}` })
  await draft.settle()
  expect(() => draft.addLayer(a)).toThrow(/gone while it was read/)
  await expect(draft.complete([])).rejects.toThrow(/gone while it was read/)
  await sink.discard()
  expect(await readdir(folder)).toEqual(['plain'])
})
