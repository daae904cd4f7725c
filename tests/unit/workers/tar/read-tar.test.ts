import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TarEntry } from '../../../../src-main/workers/tar/entry.ts'
import { readTar } from '../../../../src-main/workers/tar/read-tar.ts'
import {
  type NewTarEntry,
  TAR_END,
  tarPadding,
  writeTarHeader,
} from '../../../../src-main/workers/tar/writer.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-tar-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

interface Read extends TarEntry {
  readonly content: Buffer
}

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

async function read(tar: Buffer, size = 65_536): Promise<Read[]> {
  const found: Read[] = []
  await readTar(pieces(tar, size), (entry) => {
    const parts: Buffer[] = []
    return {
      write(chunk) {
        parts.push(Buffer.from(chunk))
      },
      end() {
        found.push({ ...entry, content: Buffer.concat(parts) })
      },
    }
  })
  return found
}

function write(entries: readonly (NewTarEntry & { content?: Buffer })[], end = true): Buffer {
  return Buffer.concat([
    ...entries.flatMap(({ content, ...entry }) => [
      writeTarHeader(entry),
      ...(content ? [content, tarPadding(content.length)] : []),
    ]),
    ...(end ? [TAR_END] : []),
  ])
}

const gnuTar = (...args: string[]) =>
  execFileSync('tar', ['-C', dir, '--sort=name', ...args], { maxBuffer: 1 << 28 })

const name = fc
  .uint8Array({ minLength: 1, maxLength: 120 })
  .map((bytes) =>
    Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))).toString('latin1'),
  )
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))
const newEntry = fc
  .record({
    path,
    mode: fc.nat(0o7777),
    uid: fc.nat(2 ** 31),
    gid: fc.nat(2 ** 31),
    mtime: fc.constantFrom('0', '1700000000', '-5', '1700000000.25', '99999999999'),
    content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    xattrs: fc.dictionary(fc.constantFrom('user.a', 'security.capability'), fc.string({ maxLength: 20 })),
    link: path,
    type: fc.constantFrom('file', 'folder', 'symlink', 'hardlink', 'pipe', 'char'),
  })
  .map(({ content, xattrs, ...rest }) => {
    const asBytes = Object.entries(xattrs).map(
      ([key, value]) => [key, Buffer.from(value).toString('latin1')] as const,
    )
    return {
      ...rest,
      major: 1,
      minor: 3,
      xattrs: new Map(asBytes),
      size: rest.type === 'file' ? content.length : 0,
      ...(rest.type === 'file' ? { content } : {}),
    }
  })

describe('what is written', () => {
  test('is read back, whatever the names and wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(newEntry, { maxLength: 5 }),
        fc.integer({ min: 1, max: 3000 }),
        async (entries, size) => {
          const found = await read(write(entries), size)
          expect(found).toHaveLength(entries.length)
          for (const [at, entry] of entries.entries()) {
            const isLink = entry.type === 'symlink' || entry.type === 'hardlink'
            expect(found[at]).toMatchObject({
              path: entry.type === 'folder' ? `${entry.path}/` : entry.path,
              type: entry.type,
              mode: entry.mode,
              uid: entry.uid,
              gid: entry.gid,
              mtime: entry.mtime,
              link: isLink ? entry.link : '',
              xattrs: entry.xattrs,
              content: entry.content ?? Buffer.alloc(0),
            })
          }
        },
      ),
      { numRuns: 60 },
    )
  }, 30_000)

  test('is read by GNU tar, long names and all', () => {
    const long = `${'a'.repeat(90)}/${'b'.repeat(90)}/${'c'.repeat(120)}`
    const tar = write([
      { path: 'folder', type: 'folder' },
      { path: long, type: 'file', size: 3, content: Buffer.from('abc') },
      { path: 'link', type: 'symlink', link: long },
    ])
    const listed = execFileSync('tar', ['tvf', '-'], { input: tar, encoding: 'utf8' })
    expect(listed.split('\n').filter(Boolean)).toHaveLength(3)
    expect(listed).toContain(`link -> ${long}`)
    expect(listed).toMatch(/^-rw-r--r-- 0\/0 +3 1970-01-01/m)
  })

  test('holds a size beyond 8 GB', async () => {
    const size = 9 * 1024 ** 3
    const seen: TarEntry[] = []
    const header = Buffer.from(writeTarHeader({ path: 'big', type: 'file', size }))
    const reading = readTar(pieces(header, 512), (entry) => {
      seen.push(entry)
      return 'skip'
    })
    await expect(reading).rejects.toMatchObject({ detail: 'tar: truncated' })
    expect(seen[0]).toMatchObject({ path: 'big', size })
  })

  test.each<NewTarEntry>([
    { path: '', type: 'file' },
    { path: 'a\0b', type: 'file' },
    { path: 'a', type: 'file', size: -1 },
    { path: '€', type: 'file' },
    { path: 'a', type: 'file', mtime: 'now' },
  ])('can’t be %o', (entry) => {
    expect(() => writeTarHeader(entry)).toThrow('can’t be written'.replace('’', "'"))
  })
})

describe('what GNU tar writes', () => {
  test.each(['gnu', 'pax', 'ustar', 'v7', 'oldgnu'])('is read in the form %s', async (form) => {
    await mkdir(join(dir, 'sub'))
    await writeFile(join(dir, 'sub', 'file'), 'content')
    await link(join(dir, 'sub', 'file'), join(dir, 'sub', 'link'))
    await symlink('/absolute/target', join(dir, 'sub', 'sym'))
    const found = await read(gnuTar(`--format=${form}`, '-cf', '-', 'sub'), 700)
    expect(found.map((entry) => [entry.path, entry.type, entry.content.toString(), entry.link])).toEqual([
      ['sub/', 'folder', '', ''],
      ['sub/file', 'file', 'content', ''],
      ['sub/link', 'hardlink', '', 'sub/file'],
      ['sub/sym', 'symlink', '', '/absolute/target'],
    ])
  })

  test.each(['gnu', 'pax'])('keeps long names in the form %s', async (form) => {
    const deep = join('x'.repeat(120), 'y'.repeat(200), 'ü'.repeat(60))
    await mkdir(join(dir, deep), { recursive: true })
    await symlink('t'.repeat(300), join(dir, deep, 'sym'))
    const found = await read(gnuTar(`--format=${form}`, '-cf', '-', 'x'.repeat(120)))
    const last = found.at(-1)
    expect(Buffer.from(last?.path ?? '', 'latin1').toString()).toBe(`${deep}/sym`)
    expect(last?.link).toBe('t'.repeat(300))
  })

  test.each([
    ['--format=gnu'],
    ['--format=pax', '--sparse-version=0.0'],
    ['--format=pax', '--sparse-version=0.1'],
    ['--format=pax', '--sparse-version=1.0'],
  ])('is read with its holes in %s %s', async (...form) => {
    const file = await open(join(dir, 'sparse'), 'w')
    const pieceCount = 60
    for (let at = 0; at < pieceCount; at++) await file.write(`piece ${at}`, at * 100_000 + 7)
    await file.truncate(8_000_000)
    await file.close()
    await writeFile(join(dir, 'tail'), 'after')
    const tar = gnuTar(...form, '-S', '-cf', '-', 'sparse', 'tail')
    expect(tar.length).toBeLessThan(4_000_000)
    const [sparse, tail] = await read(tar, 1000)
    expect(sparse).toMatchObject({ path: 'sparse', size: 8_000_000, isSparse: true })
    expect(sparse?.content).toHaveLength(8_000_000)
    for (let at = 0; at < pieceCount; at++) {
      expect(sparse?.content.toString('latin1', at * 100_000 + 7, at * 100_000 + 14)).toBe(
        `piece ${at}`.slice(0, 7),
      )
    }
    expect(sparse?.content.subarray(6_000_000).every((byte) => byte === 0)).toBe(true)
    expect(tail?.content.toString()).toBe('after')
  })
})

describe('a broken archive', () => {
  const good = write([
    { path: 'a', type: 'file', size: 700, content: Buffer.alloc(700, 'x') },
    { path: 'b'.repeat(300), type: 'file', size: 3, content: Buffer.from('abc') },
  ])

  test('that is cut off anywhere is told as truncated', async () => {
    for (let length = 0; length < good.length - 512; length += 100) {
      await expect(read(good.subarray(0, length))).rejects.toMatchObject({
        code: 'artifact-invalid',
        detail: 'tar: truncated',
      })
    }
    await expect(read(good.subarray(0, good.length - 512))).rejects.toMatchObject({
      detail: 'tar: truncated',
    })
  })

  test('without its end is fine for those who allow it', async () => {
    const open = good.subarray(0, good.length - 1024)
    await expect(readTar(pieces(open, 100), () => 'skip', { endOptional: true })).resolves.toBeUndefined()
    await expect(
      readTar(pieces(open.subarray(0, open.length - 1), 100), () => 'skip', { endOptional: true }),
    ).rejects.toThrow('ends too early')
  })

  test('with a changed header is told', async () => {
    const bad = Buffer.from(good)
    bad[3] = 0x41
    await expect(read(bad)).rejects.toMatchObject({ detail: 'tar: checksum' })
  })

  test('with something after its end is told, zeros are not', async () => {
    await expect(read(Buffer.concat([good, Buffer.alloc(9000)]))).resolves.toHaveLength(2)
    await expect(read(Buffer.concat([good, Buffer.from('x')]))).rejects.toMatchObject({
      detail: 'tar: garbage-after-end',
    })
  })

  const patched = (at: number, text: string, more: Buffer = Buffer.alloc(0)) => {
    const header = Buffer.from(writeTarHeader({ path: 'a', type: 'file' }))
    header.write(text, at, 'latin1')
    return Buffer.concat([resum(header), more, TAR_END])
  }
  test.each([
    ['a negative size', patched(124, `\xff${'\xff'.repeat(10)}\x00`), 'number'],
    ['an absurd size', patched(124, `\x80\x7f${'\xff'.repeat(10)}`), 'number'],
    ['letters for a size', patched(124, 'hello'), 'number'],
    ['a negative owner', patched(108, '\xff'.repeat(8)), 'number'],
    ['an unknown type', patched(156, 'Z'), 'type'],
    ['a huge extended header', huge('x'), 'extended-header'],
    ['a broken extended header', extended('x', '9 path=ab'), 'extended-header'],
    [
      'an extended header twice',
      Buffer.concat([pax('x', '9 path=a\n'), extended('x', '9 path=b\n')]),
      'extended-header',
    ],
    ['a global path', extended('g', '9 path=a\n'), 'extended-header'],
    ['a negative extended size', extended('x', '11 size=-1\n'), 'number'],
    ['two sizes', extended('x', '10 size=7\n', 3), 'number'],
    ['a size that is no number', extended('x', '11 size=1e\n'), 'number'],
  ])('with %s is refused', async (_, tar, fault) => {
    await expect(read(tar)).rejects.toMatchObject({ code: 'artifact-invalid', detail: `tar: ${fault}` })
  })

  test('of random bytes never does more than fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2048 }), fc.nat(good.length - 1), async (noise, at) => {
        const bad = Buffer.from(good)
        Buffer.from(noise).copy(bad, at)
        const got = await read(bad, 333).catch((error: unknown) => error)
        if (!Array.isArray(got)) expect(got).toMatchObject({ code: 'artifact-invalid' })
      }),
    )
  })
})

/** Sets the checksum right again. */
function resum(header: Buffer): Buffer {
  header.fill(' ', 148, 156)
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function huge(type: string): Buffer {
  const header = Buffer.from(writeTarHeader({ path: 'pax', type: 'file', size: 2 << 20 }))
  header.write(type, 156, 'latin1')
  return Buffer.concat([resum(header), Buffer.alloc(2 << 20), TAR_END])
}

function pax(type: string, body: string): Buffer {
  const header = Buffer.from(writeTarHeader({ path: 'pax', type: 'file', size: body.length }))
  header.write(type, 156, 'latin1')
  return Buffer.concat([resum(header), Buffer.from(body, 'latin1'), tarPadding(body.length)])
}

function extended(type: string, body: string, size = 0): Buffer {
  return Buffer.concat([
    pax(type, body),
    writeTarHeader({ path: 'a', type: 'file', size }),
    ...(size > 0 ? [Buffer.alloc(size), tarPadding(size)] : []),
    TAR_END,
  ])
}
