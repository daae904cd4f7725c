import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordedFiles, recordedSeconds } from '../../support/longest-first.ts'

test('every file that a time is recorded of is there', async () => {
  for (const name of recordedFiles()) await access(join(import.meta.dirname, `../../${name}.test.ts`))
})

test('a time is found by a file’s path, and short files have none', () => {
  expect(recordedSeconds('/any/where/tests/faults/kill-docker-launches.test.ts')).toBeGreaterThan(50)
  expect(recordedSeconds('/any/where/tests/unit/faults/kill-docker-launches.test.ts')).toBe(0)
})
