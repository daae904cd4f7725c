import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { carry } from '../../support/artifact-trip.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { isLong } from '../../support/long-tests.ts'
import { manyFiles, quickFolder, SUM_OF_MANY } from '../../support/many-files.ts'
import { makeTree, sumTree, treeRecipe } from '../../support/odd-trees.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

// As property-host.test.ts, for containers: owners too, times to the second (the engine keeps no more). The tree goes
// in and out by the engine's own archives, so that nothing of what is tested takes part in the comparison.

// A layered file system takes a minute longer for all of them than the host's own files.
const THOUSANDS = isLong ? 100 : 10

let source: TestBottles
let target: TestBottles
let base: string
beforeAll(async () => {
  const bottle = `backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`
  source = await makeTestBottles(bottle, quickFolder())
  target = await makeTestBottles(bottle, quickFolder())
  base = mkdtempSync(join(quickFolder(), 'icebox-property-'))
})
afterAll(async () => {
  rmSync(base, { recursive: true, force: true })
  await source.dispose()
  await target.dispose()
})

/** Runs two programs, the first one's output into the second. */
async function pipe(from: readonly [string, ...string[]], to: readonly [string, ...string[]]): Promise<void> {
  const giving = spawn(from[0], from.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  const taking = spawn(to[0], to.slice(1), { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  for (const child of [giving, taking]) child.stderr.on('data', (text) => (said += String(text)))
  const ended = Promise.all([once(giving, 'close'), once(taking, 'close')])
  // A taker has all it needs at the end of the archive, before the last of the padding; the exits tell.
  await pipeline(giving.stdout, taking.stdin).catch(() => giving.stdout.resume())
  const [[given], [taken]] = await ended
  if (given !== 0 || taken !== 0)
    throw new Error(`${from.join(' ')} ${given} | ${to.join(' ')} ${taken}: ${said}`)
}

/** What a bottle's container holds in /work/tree, as seen through the engine. */
async function treeIn(slug: string, name: string): Promise<string[]> {
  const folder = join(base, name)
  mkdirSync(folder)
  await pipe(
    ['docker', 'cp', `bot-bottle-${slug}:/work/tree`, '-'],
    [
      'tar',
      '-C',
      folder,
      '--numeric-owner',
      '--same-owner',
      '-p',
      '--delay-directory-restore',
      '--warning=no-timestamp',
      '-xf',
      '-',
    ],
  )
  const sum = sumTree(join(folder, 'tree'), { withOwner: true, exactTimes: false })
  rmSync(folder, { recursive: true, force: true })
  return sum
}

it('brings any tree through freeze, export, import and resume bit for bit', async () => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      treeRecipe(false),
      fc.constantFrom('gzip', 'zstd', 'none'),
      async (recipe, compression) => {
        const at = join(base, `made-${round++}`)
        mkdirSync(join(at, 'work/tree'), { recursive: true })
        makeTree(join(at, 'work/tree'), recipe, { withOwner: true })
        const made = sumTree(join(at, 'work/tree'), { withOwner: true, exactTimes: false })
        const { slug } = await source.run('true', `odd-${round}`)
        await pipe(
          ['tar', '-C', at, '--format=pax', '--numeric-owner', '-cf', '-', 'work/tree'],
          ['docker', 'cp', '-a', '-', `bot-bottle-${slug}:/`],
        )
        const before = await treeIn(slug, 'before')
        // The engine itself has its limits with times before 1970, and with nothing else.
        expect(before).toHaveLength(made.length)
        await source.icebox.bottles.freeze({ slug }, source.context())
        const arrived = await carry(source, slug, target, compression)
        expect(await target.resume(arrived, 'true')).toBe(0)
        expect(await treeIn(arrived, 'after')).toEqual(before)
        rmSync(at, { recursive: true, force: true })
      },
    ),
    { numRuns: 5, endOnFailure: true },
  )
}, 600_000)

it(`brings ${THOUSANDS} 000 small files through`, async () => {
  const { slug } = await source.run(`B=busybox; ${manyFiles(THOUSANDS)}; ${SUM_OF_MANY}`, 'many')
  const before = await source.output(slug)
  expect(before).toMatch(new RegExp(`^${THOUSANDS}000 files\\n[0-9a-f]{64}`))
  await source.icebox.bottles.freeze({ slug }, source.context())
  const arrived = await carry(source, slug, target)
  expect(await target.resume(arrived, `B=busybox; ${SUM_OF_MANY}`)).toBe(0)
  expect(await target.output(arrived)).toBe(before)
}, 600_000)
