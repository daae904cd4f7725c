import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { moveToTrash } from '../../src-main/state/trash.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const DAY = 86_400_000

let tests: TestBottles
beforeAll(async () => {
  tests = await makeTestBottles('backend: host')
})
afterAll(() => tests.dispose())

test('a cleanup purges what has waited for as long as the setting says, and nothing before', async () => {
  const { bottles, root } = tests.icebox
  await mkdir(root.path('state', 'otter'))
  await writeFile(root.path('state', 'otter', 'metadata.json'), '{}')
  const id = await moveToTrash(root, 'otter', new Date(Date.now() - 20 * DAY))
  const settings = await tests.icebox.settings()

  await settings.set('trashDays', 30)
  await bottles.cleanup(tests.context())
  expect(await bottles.trash()).toMatchObject([{ id }])

  await settings.set('trashDays', 14)
  expect((await bottles.cleanup(tests.context())).done).toContain(`deleted ${id} from the trash`)
  expect(await bottles.trash()).toEqual([])
})
