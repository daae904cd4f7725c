import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { must } from '../support/busybox-image.ts'
import { freeze } from '../support/fault-artifacts.ts'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'
import { makeMemoryDisk, type SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'
import { emptyStore, fileDigest, namesIn, storeProblems } from '../support/store-check.ts'

const why = whyNoSmallDisk()
const MB = 1_000_000
/** No compressor makes it smaller, while the check beforehand counts on what most content comes to. */
const CONTENT = 15 * MB
/** More than is counted on, with what is to stay free on a disk of that size, and less than is needed. */
const TOO_LITTLE = 14.6 * MB
const DISK_MB = 76

describe.each(['docker', 'host'] as const)('a disk that fills up, bottles on %s', (kind) => {
  let image = ''
  let disk: SmallDisk | undefined
  let world: World
  let slug = ''
  let digest = ''
  /** On another disk than the state root. */
  let away = ''
  const reference = () => join(away, 'reference.bottle')

  beforeAll(async () => {
    if (why !== null) return
    image = kind === 'docker' ? await makeWorldImage() : ''
    away = await mkdtemp(join(tmpdir(), 'away-'))
    disk = await makeMemoryDisk(DISK_MB)
    world = await makeWorld(kind, image, { at: await madeIn(disk.dir, 'home'), inProcess: true })
    slug = await world.start('one')
    await addContent()
    await freeze(world, slug)
    await world.home.must(['export', slug, '-o', reference()])
    digest = await fileDigest(reference())
  })
  beforeEach(({ skip }) => skip(why !== null, why ?? ''))
  afterEach(() => disk?.drain())
  afterAll(async () => {
    if (why !== null) return
    await disk?.drain()
    await world.end()
    await disk?.remove()
    await rm(away, { recursive: true, force: true })
    if (image) await removeWorldImage(image)
  })

  async function addContent(): Promise<void> {
    const file = join(away, 'content')
    await writeFile(file, randomBytes(CONTENT))
    if (kind === 'docker') await must('docker', ['cp', file, `bot-bottle-${slug}:/workspace/content`])
    else await must('cp', [file, join(world.home.dir, 'state', slug, 'live/workspace/content')])
    await rm(file)
  }

  async function expectFull(args: readonly string[], when: 'before' | 'in the middle'): Promise<void> {
    const result = await world.home.icebox(args)
    expect({ code: result.code, error: result.errorCode }).toEqual({ code: 1, error: 'disk-full' })
    expect(result.stderr).not.toMatch(/\n\s+at /)
    if (when === 'before') expect(result.stderr).toMatch(/ needs (about )?\d+ MB /)
    else expect(result.stderr).not.toMatch(/ needs (about )?\d+ MB /)
    expect(await storeProblems(world.home.dir)).toEqual([])
    expect((await world.list()).map((bottle) => bottle.slug)).toEqual([slug])
  }

  test('the store’s, in an export: nothing stays, and later it works', async () => {
    await emptyStore(world.home.dir)
    await disk?.fill(TOO_LITTLE)
    const target = join(await madeIn(away, 'store'), 'a.bottle')
    await expectFull(['export', slug, '-o', target], 'in the middle')
    expect(await readdir(join(away, 'store'))).toEqual([])
    expect(await namesIn(world.home.dir, 'artifacts/blobs/sha256')).toEqual([])
    await disk?.drain()
    await world.home.must(['export', slug, '-o', target])
    expect(await fileDigest(target)).toBe(digest)
    expect(await storeProblems(world.home.dir)).toEqual([])
  })

  test('the target’s, in an export: nothing stays there, and later it works', async () => {
    await emptyStore(world.home.dir)
    const small = await makeMemoryDisk(22)
    try {
      await small.fill(TOO_LITTLE)
      const target = join(small.dir, 'a.bottle')
      await expectFull(['export', slug, '-o', target], 'in the middle')
      expect(await readdir(small.dir)).toEqual(['filler'])
      await small.drain()
      await world.home.must(['export', slug, '-o', target])
      expect(await fileDigest(target)).toBe(digest)
    } finally {
      await small.remove()
    }
  })

  test('the store’s, in an import of a file, of a pipe, and while it is unpacked', async () => {
    await emptyStore(world.home.dir)
    await disk?.fill(TOO_LITTLE)
    await expectFull(['import', reference()], 'before')
    const pipe = join(away, 'pipe')
    await must('mkfifo', [pipe])
    const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', reference(), pipe], { stdio: 'ignore' })
    const ended = new Promise((resolve) => writer.once('exit', resolve))
    await expectFull(['import', pipe], 'in the middle')
    await ended
    if (kind === 'host') {
      // Room for the archive, and not for what is in it.
      await disk?.drain()
      await disk?.fill(CONTENT + 3 * MB)
      await expectFull(['import', reference()], 'before')
    }
    expect(await namesIn(world.home.dir, 'artifacts/blobs/sha256')).toEqual([])
    await disk?.drain()
    expect(await world.problems()).toEqual([])
    const { json } = await world.home.must(['import', reference()])
    const imported = (json as { readonly slug: string }).slug
    await world.home.must(['resume', imported, '--headless', '--prompt', 'two'])
    expect(await world.notes(imported)).toEqual(['one', 'two'])
    await world.home.must(['destroy', imported, '--purge', '--yes'])
  })

  test('the bottle bore it all', async () => {
    expect([...(await world.markersHeld(slug)).values()]).toEqual([['one', 'probe']])
    expect(await world.problems()).toEqual([])
  })
})

async function madeIn(dir: string, name: string): Promise<string> {
  const path = join(dir, name)
  await mkdir(path, { recursive: true })
  return path
}
