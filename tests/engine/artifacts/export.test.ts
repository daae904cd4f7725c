import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isBottleError } from '../../../src-main/system/bottle-error.ts'
import type { ExportResult } from '../../../src-preload/contract/index.ts'
import { emptyStore, exportTo } from '../../support/artifact-trip.ts'
import { must } from '../../support/busybox-image.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { isLong } from '../../support/long-tests.ts'
import { rawEngine } from '../../support/raw-engine.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

let tests: TestBottles
let out: string
beforeAll(async () => {
  tests = await makeTestBottles(`backend: docker\nimage: ${await ensureBusyboxImage()}\nworkdir: /work`)
  out = await mkdtemp(join(tmpdir(), 'icebox-export-'))
})
afterAll(async () => {
  await tests.dispose()
  await rm(out, { recursive: true, force: true })
})

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function frozen(script: string): Promise<string> {
  const { slug, exitCode } = await tests.run(script)
  expect(exitCode).toBe(0)
  await tests.icebox.bottles.freeze({ slug }, tests.context())
  return slug
}

const storeDir = () => join(tests.home.dir, 'artifacts')

describe('exports of a docker bottle', () => {
  test('are the same bytes by every way the layers take, and the engine loads them as the same image', async () => {
    const slug = await frozen('head -c 3000000 /dev/urandom > /work/noise; seq 1 200000 > /work/text')
    const first = await exportTo(tests, slug, join(out, 'first'))
    const digest = await digestOf(join(out, 'first'))
    // From the store, from the engine again, and over another codec.
    await exportTo(tests, slug, join(out, 'again'))
    await emptyStore(tests)
    await exportTo(tests, slug, join(out, 'anew'))
    await emptyStore(tests)
    await exportTo(tests, slug, join(out, 'zstd'), 'zstd')
    await exportTo(tests, slug, join(out, 'recoded'))
    // The base is held, the own layer is not: it comes by a push.
    await emptyStore(tests)
    const other = await frozen('echo other > /work/other')
    await exportTo(tests, other, join(out, 'other'))
    await exportTo(tests, slug, join(out, 'sibling'))
    for (const name of ['again', 'anew', 'recoded', 'sibling']) {
      expect([name, await digestOf(join(out, name))]).toEqual([name, digest])
    }
    expect(await digestOf(join(out, 'zstd'))).not.toBe(digest)

    const name = `icebox/${slug}:${first.snapshot}`
    await must('docker', ['load', '-q', '-i', join(out, 'first')])
    try {
      const layersOf = async (reference: string) =>
        (
          await rawEngine().call<{ RootFS: { Layers: readonly string[] } }>(
            'GET',
            `/images/${encodeURIComponent(reference)}/json`,
          )
        ).RootFS.Layers
      const [record] = await tests.icebox.bottles.snapshots(slug)
      expect(await layersOf(name)).toEqual(await layersOf(record?.reference ?? ''))
    } finally {
      await must('docker', ['rmi', name])
    }
  })

  test('do not keep a freeze of the same bottle waiting, and are of the snapshot they began with', async () => {
    const { slug } = await tests.run('head -c 10000000 /dev/urandom > /work/noise')
    const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context())
    await tests.resume(slug, 'echo more > /work/more')
    let freezing: Promise<unknown> | undefined
    const result = await tests.icebox.artifacts.export(
      { slug, snapshot: snapshot.id, compression: 'gzip', thin: false, scrub: 'keep' },
      { file: join(out, 'during') },
      {
        ...tests.context(),
        progress: () => {
          freezing ??= tests.icebox.bottles.freeze({ slug }, tests.context())
        },
      },
    )
    expect(result.snapshot).toBe(snapshot.id)
    expect(await freezing).toMatchObject({ snapshot: { parent: snapshot.id } })
  })

  test('that are cancelled leave the folder, the store and the engine as they were', async () => {
    const slug = await frozen('head -c 16000000 /dev/urandom > /work/noise')
    await emptyStore(tests)
    const images = () => must('docker', ['images', '-q', '--filter', `label=dev.icebox.slug=${slug}`])
    const before = [await readdir(out), await images()]
    const stop = new AbortController()
    const failed = await tests.icebox.artifacts
      .export(
        { slug, compression: 'zstd', thin: false, scrub: 'keep' },
        { file: join(out, 'cancelled') },
        { ...tests.context({ signal: stop.signal }), progress: ({ current }) => current && stop.abort() },
      )
      .catch((error: unknown) => error)
    expect(isBottleError(failed) && failed.code).toBe('cancelled')
    expect([await readdir(out), await images()]).toEqual(before)
    expect(await readdir(join(storeDir(), 'blobs/sha256'))).toEqual([])
    expect(await readdir(join(storeDir(), '.stage'))).toEqual([])
    // And the next one is whole.
    await exportTo(tests, slug, join(out, 'cancelled'))
    await must('tar', ['-tf', join(out, 'cancelled')])
  })

  test('say that the image is gone, and not that they are done', async () => {
    const slug = await frozen('echo gone > /work/gone')
    const [record] = await tests.icebox.bottles.snapshots(slug)
    await must('docker', ['rmi', '-f', record?.reference ?? ''])
    const failed = await exportTo(tests, slug, join(out, 'gone')).catch((error: unknown) => error)
    expect(isBottleError(failed) && failed.code).toBe('snapshot-missing')
    expect(await readdir(out)).not.toContain('gone')
  })
})

/** Writes the process's own figures when it ends: the highest that its memory ever was, in kB. */
const WATCH = `import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => writeFileSync(process.env.MEMORY_FILE, readFileSync('/proc/self/status')))
`
const MEGABYTES = 150
/** What is held grows in the first seconds and is the same at any size. */
const GIGABYTES = isLong ? 2 : 0.24

describe.runIf(process.platform === 'linux')('the memory of an export', () => {
  test(`of ${GIGABYTES} GB that does not compress stays under 150 MB, by the built command`, async () => {
    // The same 20 MB over and over, which no window of a packer reaches back to. All of it is the bottle's own, so that
    // the search for secrets has as much to go through as the packer.
    const slug = await frozen(
      `head -c 20000000 /dev/urandom > /tmp/a; for n in $(seq 1 ${GIGABYTES * 50}); do cat /tmp/a; done > /work/big; rm /tmp/a`,
    )
    const hook = join(out, 'watch.mjs')
    const memory = join(out, 'memory')
    await writeFile(hook, WATCH)
    const { json } = await tests.home.must(
      ['export', slug, '--compress', 'gzip', '--scrub', 'keep', '-o', join(out, 'big')],
      { timeout: 900_000, env: { NODE_OPTIONS: `--import=${hook}`, MEMORY_FILE: memory } },
    )
    expect((json as ExportResult).bytes).toBeGreaterThan(GIGABYTES * 0.95e9)
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(memory, 'utf8'))?.[1])
    expect(peak / 1000).toBeGreaterThan(20)
    expect(peak / 1000).toBeLessThan(MEGABYTES)
  }, 1_200_000)
})
