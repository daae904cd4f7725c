import fc from 'fast-check'
import { pack } from 'tar-stream'
import { expect, it } from 'vitest'
import {
  type LayerCount,
  layerOfExport,
  relative,
} from '../../../../src-main/backends/macos-container/rootfs-layer.ts'
import { createTarDecoder } from '../../../../src-main/workers/tar/decoder.ts'
import type { TarEntry } from '../../../../src-main/workers/tar/entry.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../../../src-main/workers/tar/writer.ts'

type Input = Parameters<typeof writeTarHeader>[0] & { readonly content?: string }

function tarOf(entries: readonly Input[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...entry }) => [
    writeTarHeader({ ...entry, ...(entry.type === 'file' ? { size: content.length } : {}) }),
    Buffer.from(content, 'latin1'),
    tarPadding(content.length),
  ])
  return Buffer.concat([...parts, TAR_END])
}

async function* pieces(bytes: Buffer, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function layered(bytes: Buffer, length = 1 << 16) {
  const count: LayerCount = { entries: 0, unheld: [] }
  const made: Uint8Array[] = []
  for await (const piece of layerOfExport(pieces(bytes, length), count)) made.push(piece)
  return { count, made: Buffer.concat(made) }
}

function read(bytes: Buffer): (TarEntry & { content: string })[] {
  const decoder = createTarDecoder()
  decoder.feed(bytes)
  const found: (TarEntry & { content: string })[] = []
  for (let event = decoder.next(); event; event = decoder.next()) {
    const last = found.at(-1)
    if (event.kind === 'entry') found.push({ ...event.entry, content: '' })
    else if (event.kind === 'data' && last) last.content += event.bytes.toString('latin1')
  }
  decoder.finish()
  return found
}

it('makes names relative and keeps everything else as it was exported', async () => {
  const xattrs = new Map([
    ['security.capability', '\x01\x00\xff'],
    ['user.note', 'é'],
  ])
  const file = { uid: 1000, gid: 2_500_000, mtime: '1700000000.123456789' }
  const { made, count } = await layered(
    tarOf([
      { path: '/', type: 'folder', mode: 0o755 },
      { path: '/bin/', type: 'folder', mode: 0o1777 },
      { path: '/bin/su', type: 'file', mode: 0o6755, ...file, xattrs, content: 'program' },
      { path: '/abs', type: 'symlink', link: '/bin/su' },
      { path: './dot', type: 'file', content: '' },
      { path: '/bin/hard', type: 'hardlink', link: '/bin/su' },
      { path: `/${'long/'.repeat(60)}\xc3\xa9`, type: 'file', content: 'x' },
    ]),
  )
  const [root, bin, su, abs, dot, hard, long] = read(made)
  expect(root).toMatchObject({ path: './', type: 'folder', mode: 0o755 })
  expect(bin).toMatchObject({ path: 'bin/', mode: 0o1777 })
  expect(su).toMatchObject({ path: 'bin/su', mode: 0o6755, ...file, xattrs, content: 'program' })
  expect(abs).toMatchObject({ path: 'abs', link: '/bin/su' })
  expect(dot).toMatchObject({ path: 'dot' })
  expect(hard).toMatchObject({ path: 'bin/hard', link: 'bin/su' })
  expect(long).toMatchObject({ path: `${'long/'.repeat(60)}\xc3\xa9`, content: 'x' })
  expect(count).toEqual({ entries: 7, unheld: [] })
})

it('leaves out what is the disk’s or the run’s own, and names what a layer can’t hold', async () => {
  const { made, count } = await layered(
    tarOf([
      { path: '/lost+found/', type: 'folder' },
      { path: '/lost+found/#12', type: 'file', content: 'x' },
      { path: '/run/icebox/', type: 'folder' },
      { path: '/run/icebox/env', type: 'file', content: 'SECRET=1' },
      { path: '/run/iceboxes', type: 'file', content: 'kept' },
      { path: '/home/lost+found/', type: 'folder' },
      { path: '/home/.wh.gone', type: 'file', content: 'kept by nobody' },
    ]),
  )
  expect(read(made).map(({ path }) => path)).toEqual(['run/iceboxes', 'home/lost+found/'])
  expect(made.includes('SECRET')).toBe(false)
  expect(count).toEqual({ entries: 2, unheld: ['/home/.wh.gone'] })
})

it('is the same however the export comes in pieces, and reads what other programs write', async () => {
  const packer = pack()
  packer.entry(
    { name: '/etc/a', mode: 0o640, uid: 7, pax: { 'SCHILY.xattr.user.x': 'y' } },
    'content'.repeat(300),
  )
  packer.entry({ name: '/etc/b', type: 'fifo' })
  packer.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of packer) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  const whole = (await layered(bytes)).made
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (length) => {
      expect((await layered(bytes, length)).made.equals(whole)).toBe(true)
    }),
    { numRuns: 20 },
  )
  expect(read(whole).map(({ path, type, uid }) => [path, type, uid])).toEqual([
    ['etc/a', 'file', 7],
    ['etc/b', 'pipe', 0],
  ])
})

it('takes no export that was cut off for a whole one', async () => {
  const bytes = tarOf([{ path: '/a', type: 'file', content: 'x'.repeat(2000) }])
  for (const length of [0, 300, 512, 1500, bytes.length - 1024]) {
    const cut = bytes.subarray(0, length)
    await expect(layered(cut)).rejects.toMatchObject({ code: 'engine-failed' })
  }
})

it('takes leading slashes and dots off, and nothing else', () => {
  expect(['/', './', '.', '', '//a//', './/a', '/.a', '..a', '/a/b/'].map(relative)).toEqual([
    '',
    '',
    '',
    '',
    'a',
    'a',
    '.a',
    '..a',
    'a/b',
  ])
})
