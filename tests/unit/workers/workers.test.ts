import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Codec, Packed } from '../../../src-main/workers/types.ts'
import { createWorkers } from '../../../src-main/workers/workers.ts'

const workers = createWorkers()
const never = new AbortController().signal
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-workers-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function pack(bytes: Buffer, codec: Codec, size = 65_536): Promise<Packed & { file: Buffer }> {
  const out: Buffer[] = []
  const packed = await workers.pack(
    pieces(bytes, size),
    codec,
    async (chunk) => {
      out.push(Buffer.from(chunk))
    },
    never,
  )
  return { ...packed, file: Buffer.concat(out) }
}

async function unpack(bytes: Buffer, codec: Codec | 'detect' = 'detect'): Promise<Buffer> {
  const file = join(dir, 'packed')
  await writeFile(file, bytes)
  const out: Uint8Array[] = []
  for await (const chunk of workers.unpack(file, codec, never)) out.push(chunk)
  return Buffer.concat(out)
}

const unpackWith: Readonly<Record<Codec, (bytes: Buffer) => Buffer>> = {
  gzip: (input) => execFileSync('gzip', ['-dc'], { input, maxBuffer: 1 << 28 }),
  zstd: (input) => execFileSync('zstd', ['-dc'], { input, maxBuffer: 1 << 28 }),
  none: (input) => input,
}

/** Text that compresses, noise that does not, and zeros. */
const mixed = Buffer.concat([
  Buffer.from('all work and no play '.repeat(150_000)),
  randomBytes(3_000_000),
  Buffer.alloc(4_000_000),
  randomBytes(1234),
])

describe.each(['gzip', 'zstd', 'none'] as const)('packing with %s', (codec) => {
  test('is read by others and by us, and tells its digests', async () => {
    const packed = await pack(mixed, codec)
    expect(packed.contentDigest).toBe(digestOf(mixed))
    expect(packed.contentBytes).toBe(mixed.length)
    expect(packed.digest).toBe(digestOf(packed.file))
    expect(packed.bytes).toBe(packed.file.length)
    expect(digestOf(unpackWith[codec](packed.file))).toBe(packed.contentDigest)
    expect(digestOf(await unpack(packed.file, codec))).toBe(packed.contentDigest)
    expect(digestOf(await unpack(packed.file))).toBe(packed.contentDigest)
  })

  test('depends on the content only, not on how it came in', async () => {
    const first = await pack(mixed, codec, 65_536)
    expect((await pack(mixed, codec, 999_983)).digest).toBe(first.digest)
    const [a, b] = await Promise.all([pack(mixed, codec, 4_194_304), pack(mixed, codec, mixed.length)])
    expect([a.digest, b.digest]).toEqual([first.digest, first.digest])
  })

  test.each([0, 1, 32_768, 1 << 20, (1 << 20) + 1, 4 << 20, (4 << 20) + 1, 8 << 20])(
    'of %i bytes',
    async (length) => {
      const content = Buffer.concat([mixed, mixed]).subarray(2_000_000, 2_000_000 + length)
      const packed = await pack(content, codec)
      expect(packed.contentDigest).toBe(digestOf(content))
      expect(unpackWith[codec](packed.file).equals(content)).toBe(true)
      expect((await unpack(packed.file, codec)).equals(content)).toBe(true)
    },
  )

  test('ends with the first failure of its source or its sink', async () => {
    async function* broken() {
      yield mixed
      throw new Error('the source broke')
    }
    await expect(workers.pack(broken(), codec, async () => undefined, never)).rejects.toMatchObject({
      detail: 'the source broke',
    })
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    let calls = 0
    const sink = async () => {
      calls++
      throw full
    }
    await expect(workers.pack(pieces(mixed, 65_536), codec, sink, never)).rejects.toMatchObject({
      code: 'disk-full',
    })
    expect(calls).toBe(1)
  })

  test('stops when it is cancelled, also while its source stands still', async () => {
    const abort = new AbortController()
    async function* stuck() {
      yield mixed
      setImmediate(() => abort.abort())
      await new Promise(() => undefined)
    }
    await expect(workers.pack(stuck(), codec, async () => undefined, abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    })
    await expect(workers.pack(stuck(), codec, async () => undefined, abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('skimming', () => {
  test('gives the content in chunks that are filled again', async () => {
    const content = randomBytes(9_000_000)
    const file = join(dir, 'skimmed')
    await writeFile(file, zlib.gzipSync(content))
    const seen: Uint8Array[] = []
    const hash = createHash('sha256')
    for await (const chunk of workers.skim(file, 'gzip', never)) {
      // Of those before, none is left to be read: a reader that keeps one finds out at once.
      expect(seen.every(({ length }) => length === 0)).toBe(true)
      hash.update(chunk)
      seen.push(chunk)
    }
    expect(seen.length).toBe(9)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
  })
})

describe('unpacking', () => {
  test('reads every member of gzip and every frame of zstd', async () => {
    const parts = [
      Buffer.from('one '),
      Buffer.alloc(0),
      Buffer.from('two '),
      Buffer.alloc(3_000_000, 'three'),
    ]
    const whole = Buffer.concat(parts)
    expect((await unpack(Buffer.concat(parts.map((part) => zlib.gzipSync(part))))).equals(whole)).toBe(true)
    expect(
      (await unpack(Buffer.concat(parts.map((part) => zlib.zstdCompressSync(part))))).equals(whole),
    ).toBe(true)
  })

  test('reads what the zstd program writes, with and without lengths', async () => {
    const file = join(dir, 'plain')
    await writeFile(file, mixed)
    const sized = execFileSync('zstd', ['-q', '-T2', '-c', file], { maxBuffer: 1 << 28 })
    const streamed = execFileSync('zstd', ['-q', '--long=27', '-c'], { input: mixed, maxBuffer: 1 << 28 })
    expect((await unpack(sized)).equals(mixed)).toBe(true)
    expect((await unpack(Buffer.concat([streamed, sized]))).equals(Buffer.concat([mixed, mixed]))).toBe(true)
  })

  test.each(['gzip', 'zstd'] as const)(
    '%s that is cut off or followed by something is refused',
    async (codec) => {
      const { file } = await pack(mixed.subarray(0, 6_000_000), codec)
      for (const cut of [1, 5, 9, 20, 1000, file.length - 20]) {
        await expect(unpack(file.subarray(0, file.length - cut), codec)).rejects.toMatchObject({
          code: 'artifact-invalid',
        })
      }
      for (const tail of [Buffer.from('tail'), Buffer.alloc(3), Buffer.from([0x1f])]) {
        await expect(unpack(Buffer.concat([file, tail]), codec)).rejects.toMatchObject({
          code: 'artifact-invalid',
        })
      }
      await expect(unpack(Buffer.alloc(0), codec))
        .resolves.toHaveLength(0)
        .catch(() => undefined)
    },
  )

  test.each(['gzip', 'zstd'] as const)(
    '%s with a changed byte is refused, or is the same content',
    async (codec) => {
      const content = mixed.subarray(3_000_000, 3_400_000)
      const { file } = await pack(content, codec)
      await fc.assert(
        fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const bad = Buffer.from(file)
          bad[at] = (bad[at] ?? 0) ^ change
          const got = await unpack(bad, codec).catch((error: unknown) => error)
          if (Buffer.isBuffer(got)) expect(got.equals(content)).toBe(true)
          else expect(got).toMatchObject({ code: 'artifact-invalid' })
        }),
        { numRuns: 40 },
      )
    },
  )

  test('stops early with its reader and with its signal', async () => {
    const file = join(dir, 'big')
    await writeFile(file, mixed)
    for await (const chunk of workers.unpack(file, 'none', never)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    const abort = new AbortController()
    const reading = (async () => {
      for await (const _ of workers.unpack(file, 'none', abort.signal)) abort.abort()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('a file that is not there is an error', async () => {
    const reading = workers.unpack(join(dir, 'none'), 'none', never)[Symbol.asyncIterator]().next()
    await expect(reading).rejects.toMatchObject({ detail: expect.stringContaining('ENOENT') })
  })
})

test('hashing tells digest and length', async () => {
  const file = join(dir, 'file')
  await writeFile(file, mixed)
  expect(await workers.hash(file, never)).toEqual({ digest: digestOf(mixed), bytes: mixed.length })
  await expect(workers.hash(file, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  expect((await readFile(file)).length).toBe(mixed.length)
})
