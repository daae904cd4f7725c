import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hashOf, parseRecord } from '../../../../src-main/artifacts/drag-cache/cache-files.ts'
import { type DragCache, openDragCache } from '../../../../src-main/artifacts/drag-cache/drag-cache.ts'
import { sourceOf } from '../../../../src-main/artifacts/drag-cache/source.ts'
import type { DragKey } from '../../../../src-main/artifacts/drag-cache/types.ts'
import { openStateRoot, type StateRoot } from '../../../../src-main/state/root.ts'
import { removeSnapshotRecord, writeSnapshot } from '../../../../src-main/state/snapshot-files.ts'
import type { Snapshot } from '../../../../src-preload/contract/entities.ts'

const HOUR = 3_600_000
const DIGEST = `sha256:${'a'.repeat(64)}`
const snapshot = (id: string, change: Partial<Snapshot> = {}): Snapshot => ({
  version: 1,
  id,
  slug: 'web',
  parent: null,
  backend: 'host',
  reference: '/x',
  digest: 'sha256:x',
  createdAt: '2026-11-21T06:15:00.000Z',
  fidelity: 'files+volumes',
  leftOut: [],
  bytes: 5,
  ownBytes: null,
  reason: 'user',
  note: '',
  label: '',
  pinned: false,
  status: 'ready',
  runId: null,
  agent: '',
  provider: '',
  volumes: [],
  verified: null,
  facts: {},
  ...change,
})
const ID = '20261121T061500Z-a001'
const key = (change: Partial<DragKey> = {}): DragKey => ({
  slug: 'web',
  snapshot: ID,
  scrub: null,
  ...change,
})

let dir: string
let root: StateRoot
let now: number
let open: DragCache[]
let warnings: unknown[]
let maxBytes: number

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-drag-'))
  root = await openStateRoot(dir)
  now = Date.now()
  open = []
  warnings = []
  maxBytes = 1_000_000
  await mkdir(root.path('state', 'web'), { recursive: true })
  await writeSnapshot(root, snapshot(ID))
})
afterEach(async () => {
  for (const cache of open) await cache.close()
  await rm(dir, { recursive: true, force: true })
  expect(warnings).toEqual([])
})

function openCache(): DragCache {
  const warn = (error: unknown) => void warnings.push(error)
  const cache = openDragCache({ root, warn, maxBytes: async () => maxBytes, now: () => now })
  open.push(cache)
  return cache
}

async function make(cache: DragCache, wanted: DragKey, content = `tar…${DIGEST}…`): Promise<void> {
  const source = await sourceOf(root, wanted.slug, wanted.snapshot)
  if (!source) throw new Error('no source')
  cache.begin(wanted, 't1')
  const file = join(dir, `made-${Math.random()}`)
  await writeFile(file, content, { mode: 0o600 })
  const fileName = `${wanted.slug}-${wanted.snapshot}.bottle`
  await cache.keep(wanted, 't1', { file, fileName, digest: DIGEST, source })
}
const folder = (wanted: DragKey = key()) => root.path('icebox', 'drag', hashOf(wanted))

describe('a file', () => {
  test('is found after it was made, under a nice name, for its owner only', async () => {
    const cache = openCache()
    expect(await cache.find(key())).toBeNull()
    await make(cache, key())
    const found = await cache.find(key())
    expect(found).toMatchObject({ fileName: `web-${ID}.bottle`, fidelity: 'files+volumes' })
    expect(found?.file).toBe(join(folder(), `web-${ID}.bottle`))
    expect(found?.token).toHaveLength(43)
    expect(await readFile(found?.file ?? '', 'utf8')).toContain(DIGEST)
    expect((await stat(found?.file ?? '')).mode & 0o777).toBe(0o600)
    expect((await stat(folder())).mode & 0o777).toBe(0o700)
  })

  test('of other options is another file', async () => {
    const cache = openCache()
    await make(cache, key({ scrub: 'keep' }))
    expect(await cache.find(key())).toBeNull()
    expect(await cache.find(key({ scrub: 'strip' }))).toBeNull()
    expect(await cache.find(key({ scrub: 'keep' }))).not.toBeNull()
  })

  test('is made by one task at a time', () => {
    const cache = openCache()
    cache.begin(key(), 't1')
    cache.begin(key(), 't2')
    expect(cache.taskOf(key())).toBe('t1')
    cache.fail(key(), 't1')
    expect(cache.taskOf(key())).toBeNull()
  })

  test('outlives a restart, with another token', async () => {
    const first = openCache()
    await make(first, key())
    const before = await first.find(key())
    await first.close()
    const second = openCache()
    expect(second.take(before?.token ?? '')).toBeNull()
    const after = await second.find(key())
    expect(after?.file).toBe(before?.file)
    expect(after?.token).not.toBe(before?.token)
  })

  test.each([
    ['cut', (file: string) => writeFile(file, 'short')],
    ['gone', (file: string) => rm(file)],
    ['a folder', async (file: string) => rm(file).then(() => mkdir(file))],
    [
      'written to, though as long and as old',
      async (file: string) => {
        const { size, atimeMs, mtimeMs } = await stat(file)
        await writeFile(file, 'x'.repeat(size))
        await utimes(file, atimeMs / 1000, mtimeMs / 1000)
      },
    ],
  ])('that is %s after a restart is made anew, and nothing is left', async (_what, spoil) => {
    const first = openCache()
    await make(first, key())
    const found = await first.find(key())
    await first.close()
    await spoil(found?.file ?? '')
    // What is young may be another process's, on its way.
    await utimes(folder(), 1, 1)
    expect(await openCache().find(key())).toBeNull()
    await expect.poll(() => readdir(root.path('icebox', 'drag'))).not.toContain(`${hashOf(key())}.json`)
  })

  test('that somebody wrote to while the app runs is made anew', async () => {
    const cache = openCache()
    await make(cache, key())
    const found = await cache.find(key())
    await writeFile(found?.file ?? '', `another ${DIGEST}`)
    expect(await cache.find(key())).toBeNull()
    expect(cache.take(found?.token ?? '')).toBeNull()
  })

  test('goes with its snapshot, and its token with it', async () => {
    const cache = openCache()
    await make(cache, key())
    const found = await cache.find(key())
    expect(cache.take(found?.token ?? '')).not.toBeNull()
    await removeSnapshotRecord(root, 'web', ID)
    await cache.sweep()
    expect(cache.take(found?.token ?? '')).toBeNull()
    expect(await readdir(root.path('icebox', 'drag'))).toEqual([])
  })

  test('goes when its snapshot says something else now, and stays when it was only looked at', async () => {
    const cache = openCache()
    await make(cache, key())
    const verified = { at: '', outcome: 'passed', check: null, detail: '' } as const
    await writeSnapshot(root, snapshot(ID, { pinned: true, verified }))
    expect(await cache.find(key())).not.toBeNull()
    await writeSnapshot(root, snapshot(ID, { note: 'another word' }))
    expect(await cache.find(key())).toBeNull()
  })
})

describe('a token', () => {
  test('that nobody gave out, or that is old, stands for nothing', async () => {
    const cache = openCache()
    await make(cache, key())
    const { token = '' } = (await cache.find(key())) ?? {}
    expect(cache.take(token)).toMatchObject({ fileName: `web-${ID}.bottle` })
    expect(cache.take(`${token.slice(0, -1)}_`)).toBeNull()
    expect(cache.take('../../etc/passwd')).toBeNull()
    now += HOUR + 1
    expect(cache.take(token)).toBeNull()
  })

  test('notices a file that somebody removed', async () => {
    const cache = openCache()
    await make(cache, key())
    const taken = cache.take((await cache.find(key()))?.token ?? '')
    expect(await taken?.isThere()).toBe(true)
    await rm(taken?.file ?? '')
    expect(await taken?.isThere()).toBe(false)
  })
})

describe('a sweep', () => {
  const OTHER = '20261121T061500Z-a002'
  test('keeps what was dragged, and removes the least used of the rest', async () => {
    const cache = openCache()
    await writeSnapshot(root, snapshot(OTHER))
    await make(cache, key())
    now += 1000
    await make(cache, key({ snapshot: OTHER }))
    const first = await cache.find(key())
    await cache.dragged([first?.token ?? ''])
    now += HOUR / 2
    maxBytes = 0
    // As another process would, which knows of the drag from the disk only.
    await openCache().sweep()
    expect(await readdir(folder())).toHaveLength(1)
    await expect(readdir(folder(key({ snapshot: OTHER })))).rejects.toThrow('ENOENT')
    now += HOUR
    await cache.sweep()
    expect(await readdir(root.path('icebox', 'drag'))).toEqual([])
  })

  test('removes files that no record names, but not young ones', async () => {
    const stray = root.path('icebox', 'drag', 'b'.repeat(40))
    const young = root.path('icebox', 'drag', 'c'.repeat(40))
    for (const each of [stray, young]) {
      await mkdir(each, { recursive: true })
      await writeFile(join(each, 'x.bottle'), 'x')
    }
    await utimes(stray, 1, 1)
    await openCache().sweep()
    expect(await readdir(dirname(stray))).toEqual(['c'.repeat(40)])
  })
})

describe('a record', () => {
  const good = {
    version: 1,
    ...key(),
    fileName: `web-${ID}.bottle`,
    bytes: 1,
    mtimeMs: 1,
    digest: DIGEST,
    source: 's',
    fidelity: 'files',
    usedAt: 1,
    draggedAt: null,
  }
  test('is read back', () => expect(parseRecord(good)).toEqual(good))
  test.each([
    { fileName: '../../../etc/passwd' },
    { fileName: 'a/b.bottle' },
    { fileName: '.bottle' },
    { slug: '../x' },
    { snapshot: 'latest' },
    { scrub: 'maybe' },
    { bytes: '1' },
    { mtimeMs: Number.NaN },
    { digest: '' },
    { fidelity: 'all' },
    { version: 2 },
  ])('with %j is none', (change) => expect(parseRecord({ ...good, ...change })).toBeNull())
})
