import { beforeEach, describe, expect, test } from 'vitest'
import { HOSTILE_CASES } from '../../../support/hostile/cases.ts'
import { type ImportBench, makeImportBench } from '../../../support/hostile/import-bench.ts'

test('there are at least forty cases, each with a name of its own', () => {
  const names = HOSTILE_CASES.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(40)
})

describe('a hostile or broken archive is refused with its reason, and nothing of it stays', () => {
  let bench: ImportBench
  beforeEach(async () => {
    bench = await makeImportBench({ importMaxEntries: 2500, importMaxRatio: 100, importRatioFromMB: 64 })
  })

  test.each(HOSTILE_CASES)('$name', { timeout: 60_000 }, async ({ build, reason, code }) => {
    const before = await bench.listing()
    const archive = build()
    const failed = await bench.run(archive).then(
      () => null,
      (error: unknown) => error as { code: string; message: string },
    )
    expect(failed?.message).toMatch(reason)
    expect(failed?.code).toBe(code ?? 'artifact-invalid')
    // Nobody's terminal is moved by what an archive calls its entries.
    expect(failed?.message).not.toMatch(/\p{Cc}/u)
    expect(await bench.listing()).toEqual(before)
    expect(bench.loaded).toEqual([])
  })
})
