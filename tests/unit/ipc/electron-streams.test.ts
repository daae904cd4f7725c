import { EventEmitter } from 'node:events'
import type { MessagePortMain } from 'electron'
import { expect, test, vi } from 'vitest'
import { createPortStreams } from '../../../src-main/ipc/electron-streams.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { STREAM_WINDOW } from '../../../src-preload/contract/streams.ts'

const LOGS = { name: 'logs', args: { slug: 'web-1' } }

/** Main's end of a port; what the page sends is emitted on it. */
function makePort() {
  const posted: unknown[] = []
  let isClosed = false
  const port = Object.assign(new EventEmitter(), {
    start: () => {},
    postMessage: (data: unknown) => void (isClosed || posted.push(data)),
    close() {
      if (isClosed) return
      isClosed = true
      port.emit('close')
    },
  })
  const bytes = () =>
    posted.reduce<number>((sum, each) => sum + (each instanceof Uint8Array ? each.byteLength : 0), 0)
  const say = (data: unknown) => port.emit('message', { data })
  return { port: port as unknown as MessagePortMain, say, posted, bytes, isClosed: () => isClosed }
}

/** An engine that writes as fast as it is read. */
function fastWriter(chunk = 100_000) {
  let made = 0
  let freed = 0
  const block = new Uint8Array(chunk)
  const streams = createPortStreams({
    logs: async function* () {
      try {
        for (;;) {
          made += chunk
          yield block
        }
      } finally {
        freed += 1
      }
    },
    attach: () => Promise.reject(bottleError('unsupported')),
  })
  return { streams, made: () => made, freed: () => freed }
}

test('of a log of a gigabyte there is never more than a window on the way', async () => {
  const { streams, made, freed } = fastWriter()
  const { port, say } = makePort()
  let shown = 0
  let onTheWay = 0
  let most = 0
  port.postMessage = (chunk: Uint8Array) => {
    onTheWay += chunk.byteLength
    most = Math.max(most, onTheWay, made() - shown)
    if (onTheWay > chunk.byteLength) return
    // The page shows all that came in this turn at once.
    setImmediate(() => {
      const bytes = onTheWay
      onTheWay = 0
      shown += bytes
      say({ type: 'ack', bytes })
    })
  }
  streams.serve(port, LOGS)
  await vi.waitFor(() => expect(shown).toBeGreaterThan(1_000_000_000), { timeout: 25_000 })
  expect(most).toBeGreaterThan(STREAM_WINDOW / 2)
  expect(most).toBeLessThanOrEqual(STREAM_WINDOW + 2 * 100_000)
  port.close()
  await vi.waitFor(() => expect(freed()).toBe(1))
})

test('a page that does not acknowledge gets one window, and closing frees what the engine holds', async () => {
  const { streams, made, freed } = fastWriter()
  const { port, bytes } = makePort()
  streams.serve(port, LOGS)
  await vi.waitFor(() => expect(bytes()).toBe(STREAM_WINDOW))
  await new Promise((resolve) => setImmediate(resolve))
  expect([bytes(), made() <= STREAM_WINDOW + 100_000]).toEqual([STREAM_WINDOW, true])
  port.close()
  await vi.waitFor(() => expect(freed()).toBe(1))
})

test.each([
  ['more bytes than it was sent', { type: 'ack', bytes: STREAM_WINDOW + 1 }],
  ['less than nothing', { type: 'ack', bytes: -1 }],
  ['half a byte', { type: 'ack', bytes: 0.5 }],
  ['not a number', { type: 'ack', bytes: Number.NaN }],
  ['a size that is none', { type: 'resize', cols: 0, rows: 5 }],
  ['input that is no text', { type: 'input', data: 7 }],
  ['input without measure', { type: 'input', data: 'x'.repeat(2_000_000) }],
  ['a word that is not in the contract', { type: 'exec', data: 'x' }],
  ['nothing', undefined],
])('a page that says %s loses the port', async (_what, message) => {
  const { streams, freed } = fastWriter()
  const { port, say, bytes, isClosed } = makePort()
  streams.serve(port, LOGS)
  await vi.waitFor(() => expect(bytes()).toBe(STREAM_WINDOW))
  say(message)
  expect(isClosed()).toBe(true)
  await vi.waitFor(() => expect(freed()).toBe(1))
})

test('streams that are not in the contract end with the reason, what is none at all without', () => {
  const { streams } = fastWriter()
  const unknown = makePort()
  streams.serve(unknown.port, { name: 'shell', args: {} })
  // The page closes it when it has read why.
  expect([unknown.posted, unknown.isClosed()]).toMatchObject([[{ end: { code: 'denied' } }], false])
  const bad = makePort()
  streams.serve(bad.port, { name: 'logs', args: { slug: '../x' } })
  expect(bad.posted).toMatchObject([{ end: { code: 'invalid-slug' } }])
  for (const wanted of [null, 7, { name: 5 }, {}]) {
    const { port, posted, isClosed } = makePort()
    streams.serve(port, wanted)
    expect([posted, isClosed()]).toEqual([[], true])
  }
})

test('a page has 64 streams and no more, however many ports it sends; ending one makes room', async () => {
  const { streams, freed } = fastWriter()
  const ports = Array.from({ length: 64 }, makePort)
  for (const { port } of ports) streams.serve(port, LOGS)
  const late = makePort()
  streams.serve(late.port, LOGS)
  expect([late.posted, late.isClosed()]).toMatchObject([[{ end: { code: 'busy' } }], false])
  ports[0]?.port.close()
  const next = makePort()
  streams.serve(next.port, LOGS)
  await vi.waitFor(() => expect(next.bytes()).toBe(STREAM_WINDOW))
  streams.closeAll()
  await vi.waitFor(() => expect(freed()).toBe(65))
  expect(ports.every(({ isClosed }) => isClosed())).toBe(true)
})

test('each chunk is a buffer of its own', async () => {
  const large = Buffer.from('a small part of a large buffer')
  const streams = createPortStreams({
    logs: async function* () {
      yield large.subarray(2, 7)
    },
    attach: () => Promise.reject(bottleError('unsupported')),
  })
  const { port, posted } = makePort()
  streams.serve(port, LOGS)
  await vi.waitFor(() => expect(posted).toHaveLength(2))
  const [chunk, end] = posted
  expect(end).toEqual({ end: null })
  expect(chunk instanceof Uint8Array && chunk.buffer.byteLength).toBe(5)
})

test('a log that ended leaves its port to the page, so that a close can not overtake the last bytes', async () => {
  const streams = createPortStreams({
    logs: async function* () {
      yield new Uint8Array(10)
    },
    attach: () => Promise.reject(bottleError('unsupported')),
  })
  const { port, posted, isClosed } = makePort()
  streams.serve(port, LOGS)
  await vi.waitFor(() => expect(posted).toEqual([new Uint8Array(10), { end: null }]))
  streams.closeAll()
  expect(isClosed()).toBe(false)
})
