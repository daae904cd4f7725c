import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

let tests: TestBottles

beforeAll(async () => {
  tests = await makeTestBottles('backend: host')
})
afterAll(() => tests.dispose())

test('the freeze before a destroy holds what the agent did until it ended', async () => {
  const { bottles, root } = tests.icebox
  const script = `trap 'echo last >>words; exit 0' TERM; echo first >words; while :; do sleep 0.1; done`
  const { slug, ended } = await tests.launch(script)
  const words = root.path('state', slug, 'live/workspace/words')
  await expect.poll(() => readFile(words, 'utf8').catch(() => ''), { timeout: 20_000 }).toBe('first\n')
  await bottles.destroy({ slug, freeze: true }, tests.context())
  await ended
  await bottles.undo(slug, tests.context())
  const [snapshot] = await bottles.snapshots(slug)
  expect(snapshot?.reason).toBe('before-destroy')
  const frozen = root.path('state', slug, 'snapshots', `${snapshot?.id}.d/workspace/words`)
  expect(await readFile(frozen, 'utf8')).toBe('first\nlast\n')
})
