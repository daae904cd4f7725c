import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { carry } from '../../support/artifact-trip.ts'
import { isLong } from '../../support/long-tests.ts'
import { manyFiles, quickFolder, SUM_OF_MANY } from '../../support/many-files.ts'
import { makeTree, sumTree, treeRecipe } from '../../support/odd-trees.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

// A tree that came back by an import can't be told from the one that was frozen: names in any bytes, links, holes,
// modes, times to the nanosecond. Owners are the importing user's own.

const THOUSANDS = isLong ? 100 : 20

let source: TestBottles
let target: TestBottles
beforeAll(async () => {
  source = await makeTestBottles('backend: host', quickFolder())
  target = await makeTestBottles('backend: host', quickFolder())
})
afterAll(async () => {
  await source.dispose()
  await target.dispose()
})

const live = (tests: TestBottles, slug: string): string => join(tests.home.dir, 'state', slug, 'live')
const HOW = { withOwner: true, exactTimes: true } as const

it('brings any tree through freeze, export, import and resume bit for bit', async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      treeRecipe(true),
      treeRecipe(true),
      fc.constantFrom('gzip', 'zstd', 'none'),
      async (work, home, compression) => {
        const { slug } = await source.run('true', `odd-${round++}`)
        const trees = (tests: TestBottles, name: string) =>
          ['workspace', 'home'].map((tree) => join(live(tests, name), tree, 'tree'))
        const recipes = [work, home]
        trees(source, slug).forEach((folder, at) => {
          mkdirSync(folder)
          makeTree(folder, recipes[at] ?? [])
        })
        const sums = (tests: TestBottles, name: string) =>
          trees(tests, name).map((folder) => sumTree(folder, HOW))
        const before = sums(source, slug)
        await source.icebox.bottles.freeze({ slug }, source.context())
        const arrived = await carry(source, slug, target, compression)
        expect(await target.resume(arrived, 'true')).toBe(0)
        expect(sums(target, arrived)).toEqual(before)
      },
    ),
    { numRuns: 6, endOnFailure: true },
  )
})

it(`brings ${THOUSANDS} 000 small files through`, async () => {
  const { slug } = await source.run(`${manyFiles(THOUSANDS)}; ${SUM_OF_MANY}`, 'many')
  const before = await source.output(slug)
  expect(before).toMatch(new RegExp(`^${THOUSANDS}000 files\\n[0-9a-f]{64}`))
  await source.icebox.bottles.freeze({ slug }, source.context())
  const arrived = await carry(source, slug, target)
  expect(await target.resume(arrived, SUM_OF_MANY)).toBe(0)
  expect(await target.output(arrived)).toBe(before)
}, 600_000)
