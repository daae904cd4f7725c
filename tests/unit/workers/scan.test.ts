import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readListing } from '../../../src-main/workers/listing.ts'
import {
  type LayerScan,
  type ListedEntry,
  SCAN_LIMITS,
  type ScanOptions,
} from '../../../src-main/workers/types.ts'
import { createWorkers } from '../../../src-main/workers/workers.ts'
import { type RawEntry, rawTar } from '../../support/hostile/raw-tar.ts'

const workers = createWorkers()
const never = new AbortController().signal
let dir: string
let list: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-scan-'))
  list = join(dir, 'list')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

async function scan(bytes: Uint8Array, options: Partial<ScanOptions> = {}): Promise<LayerScan> {
  const file = join(dir, 'layer')
  await writeFile(file, bytes)
  return workers.scan(
    file,
    { codec: 'detect', limits: SCAN_LIMITS, listing: list, kind: 'layer', ...options },
    never,
  )
}

async function listed(): Promise<ListedEntry[]> {
  const found: ListedEntry[] = []
  for await (const batch of readListing(list)) found.push(...batch)
  return found
}

const folder = (name: string): RawEntry => ({ name, type: '5' })
const file = (name: string, body = ''): RawEntry => ({ name, body })
const sym = (name: string, link: string): RawEntry => ({ name, type: '2', link })
const hard = (name: string, link: string): RawEntry => ({ name, type: '1', link })

describe('a layer that is fine', () => {
  const tar = rawTar([
    folder('./'),
    folder('./etc/'),
    file('./etc/passwd', 'root'),
    sym('etc/mtab', '/proc/mounts'),
    sym('etc/up', '../../..'),
    hard('etc/shadow', 'etc/passwd'),
    hard('etc/from-below', 'usr/lib/lower'),
    file('etc/.wh.gone'),
    file('var/.wh..wh..opq'),
    { name: 'dev/null', type: '3', device: [1, 3] },
    { name: 'overlay-white', type: '3', device: [0, 0] },
    { name: 'run/pipe', type: '6' },
    { name: 'caps', body: 'x', pax: { 'SCHILY.xattr.security.capability': 'bits', mtime: '12.500' } },
    file('A', 'upper'),
    file('a', 'lower'),
  ])

  test.each([
    ['none', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => zlib.gzipSync(bytes)],
    ['zstd', (bytes: Buffer) => zlib.zstdCompressSync(bytes)],
  ] as const)('tells digests, counts and entries with %s', async (codec, packWith) => {
    const bytes = packWith(tar)
    expect(await scan(bytes)).toEqual({
      digest: digestOf(bytes),
      bytes: bytes.length,
      diffId: digestOf(tar),
      contentBytes: tar.length,
      entries: 15,
      problem: null,
      twins: 1,
      twinExample: ['A', 'a'],
    })
    const wrong = codec === 'gzip' ? 'zstd' : 'gzip'
    expect((await scan(bytes, { codec: wrong })).problem).toMatch(/compressed data/)
  })

  test('is listed entry by entry', async () => {
    await scan(tar)
    const entries = await listed()
    expect(entries.map((entry) => [entry.path, entry.kind, entry.link])).toEqual([
      ['', 'd', ''],
      ['etc', 'd', ''],
      ['etc/passwd', 'f', ''],
      ['etc/mtab', 'l', '/proc/mounts'],
      ['etc/up', 'l', '../../..'],
      ['etc/shadow', 'h', 'etc/passwd'],
      ['etc/from-below', 'h', 'usr/lib/lower'],
      ['etc/gone', 'w', ''],
      ['var', 'o', ''],
      ['dev/null', 'c', ''],
      ['overlay-white', 'w', ''],
      ['run/pipe', 'p', ''],
      ['caps', 'f', ''],
      ['A', 'f', ''],
      ['a', 'f', ''],
    ])
    const by = new Map(entries.map((entry) => [entry.path, entry]))
    expect(by.get('etc/passwd')).toMatchObject({ hash: shortHash('root'), size: 4, extra: '' })
    expect(by.get('caps')).toMatchObject({ mtime: '12.5', extra: expect.stringMatching(/^[0-9a-f]{8}$/) })
    expect(by.get('etc/shadow')?.hash).toBe('')
  })

  test('may be empty, or end without its empty blocks', async () => {
    expect((await scan(Buffer.alloc(0))).problem).toBeNull()
    expect((await scan(Buffer.alloc(1024))).problem).toBeNull()
    expect((await scan(rawTar([file('a')], Buffer.alloc(0)))).problem).toBeNull()
  })

  test('hashes large and sparse files as the agent sees them', async () => {
    execFileSync('truncate', ['-s', '5M', join(dir, 'sparse')])
    const sparse = execFileSync('tar', ['-C', dir, '-S', '-cf', '-', 'sparse'])
    expect(sparse.length).toBeLessThan(50_000)
    expect((await scan(sparse)).problem).toBeNull()
    const zeros = createHash('sha256')
      .update(Buffer.alloc(5 << 20))
      .digest('hex')
      .slice(0, 16)
    expect(await listed()).toMatchObject([{ path: 'sparse', size: 5 << 20, hash: zeros }])
    const big = 'content '.repeat(500_000)
    await scan(rawTar([file('big', big)]))
    expect(await listed()).toMatchObject([{ hash: shortHash(big) }])
  })
})

describe('a layer is refused', () => {
  test.each<[string, readonly RawEntry[], RegExp]>([
    ['absolute', [file('/etc/passwd')], /“\/etc\/passwd” is an absolute path/],
    ['dots', [file('a/../../etc/passwd')], /“a\/\.\.\/\.\.\/etc\/passwd” leads outside/],
    ['dots at the end', [folder('a/..')], /leads outside/],
    ['no name', [file('')], /without a name/],
    ['NUL', [{ name: 'x', pax: { path: 'a\0b' } }], /“a\\x00b” has a NUL/],
    ['root as a file', [file('.')], /root folder/],
    [
      'through a link',
      [sym('a', '/etc'), file('a/passwd')],
      /“a\/passwd” would be written through the link “a”/,
    ],
    ['through a deep link', [sym('a/b', '..'), file('a/b/c/d')], /through the link “a\/b”/],
    [
      'through a hard link to a link',
      [sym('s', '/etc'), hard('h', 's'), file('h/x')],
      /through the link “h”/,
    ],
    ['link over a folder', [file('a/b'), sym('a', '/etc')], /“a” is no folder, yet/],
    ['in a file', [file('a'), file('a/b')], /“a\/b” lies in “a”, which is no folder/],
    ['hard link out', [hard('a', '../../etc/passwd')], /hard link that points outside/],
    ['hard link absolute', [hard('a', '/etc/passwd')], /absolute path/],
    ['hard link to itself', [hard('a', './a')], /to itself/],
    ['hard link to a folder', [folder('d/'), hard('a', 'd')], /to a folder/],
    ['hard link through a link', [sym('s', '/etc'), hard('a', 's/passwd')], /through another link/],
    ['hard link to nothing', [hard('a', '')], /impossible name/],
    ['device', [{ name: 'tmp/sda', type: '4', device: [8, 0] }], /“tmp\/sda” is a device/],
    ['empty mark', [file('a/.wh.')], /false mark/],
    ['mark of dots', [file('a/.wh...')], /false mark/],
    ['mark of a mark', [file('.wh..wh.plnk')], /false mark/],
    ['mark with content', [file('.wh.a', 'x')], /no empty file/],
    ['mark as a folder', [folder('.wh.a/')], /no empty file/],
    ['mark as a link', [sym('.wh.a', 'b')], /no empty file/],
    ['inside a mark', [file('.wh.a/b')], /name of a mark/],
    ['removed and there', [file('a'), file('.wh.a')], /both removed and there/],
    ['there and removed', [file('.wh.a'), file('a')], /both removed and there/],
    ['twice', [file('a'), file('a')], /“a” is there twice/],
    ['twice in disguise', [file('d/a'), file('./d//./a')], /twice/],
    ['mark twice', [file('.wh.a'), file('.wh.a')], /both removed|twice/],
    ['folder twice and different', [folder('d/'), { ...folder('d/'), mode: 0o777 }], /twice/],
    ['file with a slash', [file('a/')], /ends with a slash/],
    ['content in a link', [{ ...sym('a', 'b'), size: 5 }], /no file/],
    ['long name', [file(`a/${'x'.repeat(256)}`)], /more than 255 bytes/],
    ['long path', [file(`${'abc/'.repeat(1200)}x`)], /more than 4096 bytes/],
    ['owner', [{ name: 'a', pax: { uid: '4294967296' } }], /owner that no system has/],
    ['broken header', [{ ...file('a'), isBroken: true }], /checksum/],
  ])('for %s', async (_, entries, problem) => {
    const bytes = rawTar(entries)
    const result = await scan(bytes)
    expect(result.problem).toMatch(problem)
    expect(result).toMatchObject({ digest: digestOf(bytes), diffId: digestOf(bytes) })
    await expect(access(list)).rejects.toThrow('ENOENT')
  })

  test('folders may be told twice when they agree', async () => {
    expect((await scan(rawTar([folder('d/'), file('d/a'), folder('d')]))).problem).toBeNull()
  })

  test('for too many entries, too many bytes and too high a ratio', async () => {
    const limits = { ...SCAN_LIMITS, entries: 2, bytes: 3000 }
    expect((await scan(rawTar([file('a'), file('b')]), { limits })).problem).toBeNull()
    expect((await scan(rawTar([file('a'), file('b'), file('c')]), { limits })).problem).toMatch(
      /“c” is one entry more/,
    )
    expect((await scan(rawTar([file('a', 'x'.repeat(4000))]), { limits })).problem).toMatch(
      /more than 3000 bytes/,
    )
    const bomb = zlib.zstdCompressSync(rawTar([file('zeros', '\0'.repeat(100 << 20))]))
    // A file of zeros may well be somebody's work.
    expect((await scan(bomb)).problem).toBeNull()
    const strict = { ...SCAN_LIMITS, ratioFrom: 64 * 1024 * 1024 }
    expect(await scan(bomb, { limits: strict })).toMatchObject({
      problem: expect.stringMatching(/1000 times/),
      digest: digestOf(bomb),
    })
    execFileSync('truncate', ['-s', '300G', join(dir, 'sparse')])
    const hole = execFileSync('tar', ['-C', dir, '-S', '-cf', '-', 'sparse'])
    expect((await scan(hole)).problem).toMatch(/1000 times/)
  })

  test('for what is cut off', async () => {
    const bytes = zlib.gzipSync(rawTar([file('a', 'content '.repeat(1000))]))
    const cut = bytes.subarray(0, bytes.length - 30)
    expect(await scan(cut)).toMatchObject({
      problem: 'The compressed data ends too early.',
      diffId: '',
      digest: digestOf(cut),
    })
    expect((await scan(rawTar([file('a', 'x'.repeat(2000))]).subarray(0, 1200))).problem).toMatch(
      /ends too early/,
    )
  })
})

describe('a volume', () => {
  const volume = (entries: readonly RawEntry[]) => scan(rawTar(entries), { kind: 'volume' })
  test('may hold files that look like marks', async () => {
    expect(
      (await volume([file('.wh.a', 'x'), file('a'), folder('.wh.d/'), file('.wh.d/f')])).problem,
    ).toBeNull()
    expect((await listed()).map((entry) => entry.kind)).toEqual(['f', 'f', 'd', 'f'])
  })
  test.each<[string, readonly RawEntry[], RegExp]>([
    ['devices', [{ name: 'dev/null', type: '3', device: [1, 3] }], /device/],
    ['whiteout devices', [{ name: 'x', type: '3', device: [0, 0] }], /device/],
    ['links to what is not there', [hard('a', 'b')], /not there/],
  ])('may not hold %s', async (_, entries, problem) => {
    expect((await volume(entries)).problem).toMatch(problem)
  })
  test('must have an end', async () => {
    expect((await scan(rawTar([file('a')], Buffer.alloc(0)), { kind: 'volume' })).problem).toMatch(
      /too early/,
    )
  })
})

test('real trees are never refused', async () => {
  for (const tree of ['etc', 'usr/bin', 'usr/share/doc', 'usr/lib/python3']) {
    const tar = join(dir, 'tree.tar')
    execFileSync('tar', ['-C', '/', '-cf', tar, tree], { stdio: 'ignore' })
    const options = { codec: 'none', limits: SCAN_LIMITS, listing: list, kind: 'layer' } as const
    expect(await workers.scan(tar, options, never)).toMatchObject({ problem: null })
  }
}, 120_000)

test('a scan is cancelled by its signal, a missing file is an error', async () => {
  const options = { codec: 'none', limits: SCAN_LIMITS, listing: null, kind: 'layer' } as const
  await expect(workers.scan(join(dir, 'none'), options, never)).rejects.toMatchObject({ code: 'internal' })
  await writeFile(join(dir, 'big'), Buffer.alloc(64 << 20))
  const abort = new AbortController()
  const scanning = workers.scan(join(dir, 'big'), options, abort.signal)
  abort.abort()
  await expect(scanning).rejects.toMatchObject({ code: 'cancelled' })
})
