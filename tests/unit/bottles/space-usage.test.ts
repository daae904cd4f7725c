import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { spaceUsage } from '../../../src-main/bottles/space-usage.ts'
import { makeImportBench } from '../../support/hostile/import-bench.ts'

test('the trash weighs what lies in it, and an empty one nothing', async () => {
  const { deps } = await makeImportBench()
  const trashBytes = async () => (await spaceUsage(deps, new AbortController().signal)).trashBytes
  const entry = deps.root.path('trash', 'web-1-20260102T030405Z')
  expect(await trashBytes()).toBe(0)
  await mkdir(deps.root.path('trash'), { recursive: true })
  expect(await trashBytes()).toBe(0)
  await mkdir(entry)
  await writeFile(`${entry}/file`, Buffer.alloc(100_000, 1))
  expect(await trashBytes()).toBeGreaterThanOrEqual(100_000)
})
