import zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFrameSplitter } from '../../../src-main/workers/zstd-frames.ts'

const { constants } = zlib

interface Frame {
  readonly contentBytes: number | null
  readonly bytes: Buffer
}

/** The frames that a splitter finds when it is fed in pieces of this size. */
function split(stream: Buffer, piece: number): Frame[] {
  const splitter = createFrameSplitter()
  const frames: Frame[] = []
  let parts: Buffer[] = []
  let contentBytes: number | null = null
  for (let at = 0; at < stream.length; at += piece) {
    splitter.feed(stream.subarray(at, at + piece))
    for (let event = splitter.next(); event; event = splitter.next()) {
      if (event.kind === 'frame') {
        contentBytes = event.contentBytes
        parts = []
      } else if (event.kind === 'data') parts.push(Buffer.from(event.bytes))
      else frames.push({ contentBytes, bytes: Buffer.concat(parts) })
    }
  }
  splitter.finish()
  return frames
}

function skippable(body: Buffer, kind = 0): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a50 + kind, 0)
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.nat(255), fc.nat(30_000)).map(([byte, length]) => Buffer.alloc(length, byte)),
)

describe('the frames of a zstd stream', () => {
  test('are found wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ content, checksum: fc.boolean(), skipped: fc.boolean() }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 5000 }),
        (frames, piece) => {
          const made = frames.map((frame) =>
            zlib.zstdCompressSync(frame.content, {
              params: { [constants.ZSTD_c_checksumFlag]: frame.checksum ? 1 : 0 },
            }),
          )
          const stream = Buffer.concat(
            frames.flatMap((frame, at) => [
              ...(frame.skipped ? [skippable(Buffer.alloc(at * 7, 0x28), at)] : []),
              made[at] ?? Buffer.alloc(0),
            ]),
          )
          const found = split(stream, piece)
          expect(found.map((frame) => frame.bytes.toString('hex'))).toEqual(
            made.map((one) => one.toString('hex')),
          )
          for (const [at, frame] of found.entries()) {
            if (frame.contentBytes !== null) expect(frame.contentBytes).toBe(frames[at]?.content.length)
            expect(zlib.zstdDecompressSync(frame.bytes)).toEqual(frames[at]?.content)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('that are cut off anywhere are an error', () => {
    const stream = zlib.zstdCompressSync(Buffer.from('the content of one frame'), {
      params: { [constants.ZSTD_c_checksumFlag]: 1 },
    })
    for (let length = 1; length < stream.length; length++) {
      expect(() => split(stream.subarray(0, length), 1000)).toThrow('ends too early')
    }
    expect(split(stream, 1000)).toHaveLength(1)
  })

  test.each([
    ['garbage after a frame', Buffer.concat([zlib.zstdCompressSync(Buffer.from('a')), Buffer.from('tail')])],
    ['an old magic number', Buffer.from('26b52ffd00000000', 'hex')],
    ['a reserved bit', Buffer.from('28b52ffd28000000', 'hex')],
    ['a dictionary', Buffer.from('28b52ffd2101000000', 'hex')],
    ['a reserved block', Buffer.from('28b52ffd2000070000', 'hex')],
    ['a block too large', Buffer.from('28b52ffd2000fdffff', 'hex')],
    ['a window of 1 TB', Buffer.from('28b52ffd00f0010000', 'hex')],
  ])('with %s are refused', (_, stream) => {
    expect(() => split(stream, 1000)).toThrow(/The compressed data holds/)
  })

  test('an empty stream has none', () => {
    expect(split(Buffer.alloc(0), 1)).toEqual([])
  })
})
