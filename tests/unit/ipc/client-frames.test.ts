import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeStreamFrame, parseClientMessage } from '../../../src-main/ipc/client-frames.ts'

test.each([
  { type: 'call', id: 1, call: 'state:snapshot', args: {} },
  { type: 'open', stream: 2, name: 'logs', args: { slug: 'web-1' } },
  { type: 'input', stream: 2, data: 'ls\r' },
  { type: 'resize', stream: 2, cols: 80, rows: 24 },
  { type: 'ack', stream: 2, bytes: 65_536 },
  { type: 'close', stream: 2 },
])('reads $type and nothing beside it', (message) => {
  expect(parseClientMessage(JSON.stringify({ ...message, __proto__: null, extra: 1 }))).toEqual(message)
})

test.each([
  'not json',
  '[]',
  'null',
  '{}',
  '{"type":"call","id":-1,"call":"x"}',
  '{"type":"call","id":1.5,"call":"x"}',
  '{"type":"call","id":1}',
  '{"type":"open","stream":4294967296,"name":"logs"}',
  '{"type":"resize","stream":1,"cols":0,"rows":24}',
  '{"type":"ack","stream":1,"bytes":-5}',
  '{"type":"input","stream":1,"data":7}',
])('takes %.60s for broken', (frame) => {
  expect(parseClientMessage(frame)).toBeNull()
})

test('never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.anything().map((value) => String(JSON.stringify(value))),
      ),
      (frame) => {
        parseClientMessage(frame)
      },
    ),
  )
})

test('a stream frame is the number and then the bytes', () => {
  expect([...encodeStreamFrame(0x01020304, Uint8Array.of(9, 8))]).toEqual([1, 2, 3, 4, 9, 8])
})
