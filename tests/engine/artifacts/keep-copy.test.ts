import { afterAll, beforeAll, expect, test } from 'vitest'
import { openArtifactStore } from '../../../src-main/artifacts/store/open-store.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

let tests: TestBottles

beforeAll(async () => {
  tests = await makeTestBottles(`backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`)
})
afterAll(() => tests.dispose())

const kept = async () => {
  const store = await openArtifactStore(tests.icebox.root)
  const { manifests } = await store.readIndex()
  return manifests.map(({ annotations }) => annotations?.['dev.icebox.snapshot'])
}

test('a freeze keeps a portable copy only where the setting asks for it', async () => {
  const { slug } = await tests.run('echo one > /work/marker')
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  expect(await kept()).toEqual([])

  await (await tests.icebox.settings()).set('keepPortableCopies', true)
  await tests.resume(slug, 'echo two > /work/marker')
  const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
  expect(await kept()).toEqual([snapshot.id])
  expect((await tests.icebox.artifacts.usage(new AbortController().signal)).storeUnusedBytes).toBe(0)
})
