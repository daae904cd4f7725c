import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const TESTS = join(import.meta.dirname, '../..')

it('each of the 21 weaknesses of the program before has a test that is named after it', async () => {
  const files = await readdir(TESTS, { recursive: true })
  const named = new Set<number>()
  for (const file of files.filter((name) => name.endsWith('.test.ts'))) {
    const text = await readFile(join(TESTS, file), 'utf8')
    for (const [, number] of text.matchAll(/['"`]weakness (\d{2}): /g)) named.add(Number(number))
  }
  const missing = Array.from({ length: 21 }, (_, index) => index + 1).filter((number) => !named.has(number))
  expect(missing).toEqual([])
})
