import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTrees } from '../../../../../src-main/backends/host/portable/differences.ts'
import { toImagePath, toTreePath } from '../../../../../src-main/backends/host/portable/image-paths.ts'
import { secondsOf, type TreeItem } from '../../../../../src-main/backends/host/portable/list-tree.ts'
import { divide } from '../../../../../src-main/backends/host/portable/pack-trees.ts'
import { platformOf } from '../../../../../src-main/backends/host/portable/platform.ts'
import { findPieces, mapText } from '../../../../../src-main/backends/host/portable/sparse-pieces.ts'
import { END, padding, tarHeader } from '../../../../../src-main/backends/host/portable/tar-header.ts'
import { createTarDecoder } from '../../../../../src-main/workers/tar/decoder.ts'
import type { TarEntry } from '../../../../../src-main/workers/tar/entry.ts'

const bytes = fc
  .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 300 })
  .map((raw) => Buffer.from(raw).toString('latin1').replaceAll('/', '_'))

function item(path: string, more: Partial<TreeItem> = {}): TreeItem {
  const plain = { kind: 'f', mode: 0o644, size: 3, blocks: 8, mtime: '1.000000000', target: '' }
  return { path, ...plain, file: path, names: 1, ...more }
}

describe('paths in the image', () => {
  it('put home and workspace where a container has them', () => {
    expect(['workspace', 'workspace/a', 'home', 'home/.rc', 'home/home/x'].map(toImagePath)).toEqual([
      'workspace',
      'workspace/a',
      'home/agent',
      'home/agent/.rc',
      'home/agent/home/x',
    ])
  })

  it('never hold a name that means a whiteout, and come back whatever the name', () => {
    const part = fc.oneof(bytes, fc.constantFrom('.wh.a', '..wh.', '.wh..wh..opq', '...wh..wh.', 'x.wh.y'))
    fc.assert(
      fc.property(fc.constantFrom('workspace', 'home'), fc.array(part, { maxLength: 4 }), (tree, parts) => {
        const path = [tree, ...parts].join('/')
        const image = toImagePath(path)
        expect(image).not.toMatch(/\/\.wh\./)
        expect(toTreePath(image)).toBe(path)
      }),
    )
  })
})

describe('headers', () => {
  it('say to a strict reader what they were made of', () => {
    const plan = fc.record({
      path: bytes,
      kind: fc.constantFrom('f', 'l', 'h', 'd', 'p'),
      mode: fc.nat(0o7777),
      mtime: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 20n }).map(secondsOf),
      target: bytes,
      sparseSize: fc.constant(null),
      stored: fc.nat(2000),
    })
    fc.assert(
      fc.property(plan, (made) => {
        const isLink = made.kind === 'l' || made.kind === 'h'
        const stored = made.kind === 'f' ? made.stored : 0
        const header = tarHeader({ ...made, stored, target: isLink ? made.target : '' })
        const [entry] = entriesOf(Buffer.concat([header, Buffer.alloc(stored), padding(stored), END]))
        expect(entry).toMatchObject({
          path: made.kind === 'd' ? `${made.path}/` : made.path,
          type: { f: 'file', l: 'symlink', h: 'hardlink', d: 'folder', p: 'pipe' }[made.kind],
          mode: made.mode,
          uid: 0,
          gid: 0,
          size: stored,
          link: isLink ? made.target : '',
        })
        expect(Number(entry?.mtime)).toBe(Number(made.mtime))
      }),
    )
  })

  it('hold sizes beyond eight gigabytes', () => {
    const header = tarHeader({
      ...{ path: 'big', kind: 'f', mode: 0o600, mtime: '5', target: '' },
      stored: 20_000_000_000,
      sparseSize: null,
    })
    const decoder = createTarDecoder()
    decoder.feed(header)
    expect(decoder.next()).toMatchObject({ entry: { size: 20_000_000_000 } })
  })

  function entriesOf(tar: Buffer): TarEntry[] {
    const decoder = createTarDecoder()
    const found: TarEntry[] = []
    decoder.feed(tar)
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.kind === 'entry') found.push(event.entry)
    }
    decoder.finish()
    return found
  }
})

describe('pieces of a file with holes', () => {
  const never = new AbortController().signal

  /** Zeros but for one byte at each of the places. */
  const fileWith = (places: (at: number, end: number) => readonly number[]) => ({
    async read(buffer: Buffer, offset: number, length: number, position: number) {
      buffer.fill(0, offset, offset + length)
      for (const at of places(position, position + length)) buffer[offset + at - position] = 120
      return { bytesRead: length }
    },
  })

  it('are found by content', async () => {
    const file = fileWith((from, end) => [0, 5_000_000].filter((at) => at >= from && at < end))
    const pieces = await findPieces(file, 9_000_000, never)
    expect(pieces).toEqual([
      { offset: 0, length: 4096 },
      { offset: 4_997_120, length: 4096 },
    ])
    expect(mapText(pieces, 9_000_000).toString()).toBe('3\n0\n4096\n4997120\n4096\n9000000\n0\n')
    expect(mapText([], 100).toString()).toBe('1\n100\n0\n')
    await expect(findPieces(file, 9_000_000, AbortSignal.abort())).rejects.toThrow()
  })

  it('stay few, however scattered, and cover all that is there', async () => {
    const step = 70_000
    const file = fileWith((from, end) => {
      const found: number[] = []
      for (let at = Math.ceil(from / step) * step; at < end; at += step) found.push(at)
      return found
    })
    const size = 17_000 * step
    const pieces = await findPieces(file, size, never)
    expect(pieces.length).toBeLessThanOrEqual(16_384)
    let piece = 0
    for (let at = 0; at < size; at += step) {
      while ((pieces[piece]?.offset ?? size) + (pieces[piece]?.length ?? 0) <= at) piece++
      expect(pieces[piece]?.offset).toBeLessThanOrEqual(at)
    }
  }, 30_000)
})

it('packs files with holes by hand, all their names and the folders on the way, and nothing else', () => {
  const holes = { size: 50_000_000, file: '7', names: 2 }
  const items = [
    item('workspace', { kind: 'd' }),
    item('workspace/a', { kind: 'd' }),
    item('workspace/a/disk', holes),
    item('workspace/b', { kind: 'd' }),
    item('workspace/b/plain'),
    item('workspace/twin', holes),
  ]
  const { own, bulk } = divide(items)
  expect(own.map(({ path }) => path)).toEqual([
    'workspace',
    'workspace/a',
    'workspace/a/disk',
    'workspace/twin',
  ])
  expect(bulk.map(({ path }) => path)).toEqual(['workspace/b', 'workspace/b/plain'])
  expect(divide(items.filter(({ size }) => size < 10)).own).toEqual([])
})

it('tells differences by what a freeze looks at', () => {
  const before = [item('workspace', { kind: 'd' }), item('workspace/a'), item('workspace/b'), item('home/c')]
  const now = [
    item('workspace', { kind: 'd', mtime: '99.0' }),
    item('workspace/a', { mtime: '2.000000000' }),
    item('workspace/b', { mode: 0o755 }),
    item('workspace/d', { kind: 'd' }),
  ]
  expect(compareTrees(before, now).map(({ path, kind, bytes: size }) => [path, kind, size])).toEqual([
    ['/home/agent/c', 'removed', null],
    ['/workspace/a', 'changed', 3],
    ['/workspace/b', 'changed', 3],
    ['/workspace/d', 'added', null],
  ])
})

it('names processors as images do', () => {
  expect(['x64', 'arm64', 'arm', 'riscv64'].map(platformOf)).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
    { os: 'linux', architecture: 'riscv64' },
  ])
})
