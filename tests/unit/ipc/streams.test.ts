import { expect, test, vi } from 'vitest'
import type { TerminalChannel } from '../../../src-main/backends/backend.ts'
import { createStreams } from '../../../src-main/ipc/streams.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import type { Failure } from '../../../src-preload/contract/errors.ts'
import { STREAM_WINDOW } from '../../../src-preload/contract/streams.ts'

function harness(sources: {
  logs?: (signal: AbortSignal) => AsyncIterable<Uint8Array>
  attach?: () => Promise<TerminalChannel>
}) {
  const sent: Uint8Array[] = []
  const ends: (Failure | null)[] = []
  const streams = createStreams(
    {
      logs: (_slug, _options, signal) => sources.logs?.(signal) ?? (async function* () {})(),
      attach: () => sources.attach?.() ?? Promise.reject(bottleError('unsupported')),
    },
    { data: (_id, chunk) => sent.push(chunk), end: (_id, error) => ends.push(error) },
  )
  return { streams, ends, bytes: () => sent.reduce((sum, chunk) => sum + chunk.byteLength, 0) }
}

test('an endless log stops at the window, goes on by what is acknowledged, and closing frees the source', async () => {
  let isFreed = false
  let made = 0
  const { streams, bytes, ends } = harness({
    logs: async function* () {
      try {
        for (;;) {
          made += 100_000
          yield new Uint8Array(100_000)
        }
      } finally {
        isFreed = true
      }
    },
  })
  expect(streams.open(1, 'logs', { slug: 'web-1' })).toBe(true)
  await vi.waitFor(() => expect(bytes()).toBe(STREAM_WINDOW))
  expect(made).toBeLessThanOrEqual(STREAM_WINDOW + 100_000)
  expect(streams.ack(1, 50_000)).toBe(true)
  await vi.waitFor(() => expect(bytes()).toBe(STREAM_WINDOW + 50_000))
  expect(streams.ack(1, STREAM_WINDOW + 1)).toBe(false)
  streams.close(1)
  await vi.waitFor(() => expect(isFreed).toBe(true))
  expect(ends).toEqual([])
})

test('the end and a failure of the source reach the page once', async () => {
  const { streams, ends } = harness({
    logs: async function* () {
      yield new Uint8Array(3)
      throw bottleError('engine-down')
    },
  })
  streams.open(1, 'logs', { slug: 'web-1' })
  await vi.waitFor(() => expect(ends).toMatchObject([{ code: 'engine-down' }]))
})

test('wrong names, wrong arguments and too many streams are refused; an id that is in use breaks the protocol', async () => {
  const { streams, ends } = harness({ logs: (signal) => untilAborted(signal) })
  expect(streams.open(1, 'shell', {})).toBe(true)
  expect(streams.open(2, 'logs', { slug: '../x' })).toBe(true)
  expect(streams.open(3, 'terminal', { slug: 'web-1', cols: 0, rows: 0 })).toBe(true)
  expect(ends.map((error) => error?.code)).toEqual(['denied', 'invalid-slug', 'usage'])
  for (let id = 10; id < 10 + 64; id += 1) streams.open(id, 'logs', { slug: 'web-1' })
  streams.open(99, 'logs', { slug: 'web-1' })
  expect(ends.at(-1)?.code).toBe('busy')
  expect(streams.open(10, 'logs', { slug: 'web-1' })).toBe(false)
  streams.closeAll()
})

test('a terminal takes input and size, a read-only one takes no input, and closing detaches', async () => {
  const written: string[] = []
  const sizes: number[][] = []
  let detached = 0
  const { streams } = harness({
    attach: async () => {
      const end = new AbortController()
      return {
        data: untilAborted(end.signal),
        write: (data) => void written.push(String(data)),
        resize: async (cols, rows) => void sizes.push([cols, rows]),
        detach: () => {
          if (!end.signal.aborted) detached += 1
          end.abort()
        },
      }
    },
  })
  streams.open(1, 'terminal', { slug: 'web-1', cols: 80, rows: 24 })
  streams.open(2, 'terminal', { slug: 'web-1', cols: 80, rows: 24, readOnly: true })
  // The size asked for while the terminal is still being attached counts too.
  streams.resize(1, 100, 30)
  await vi.waitFor(() => expect(sizes).toEqual([[100, 30]]))
  streams.input(1, 'ls\r')
  streams.input(2, 'rm -rf /\r')
  expect(written).toEqual(['ls\r'])
  streams.closeAll()
  await vi.waitFor(() => expect(detached).toBe(2))
})

async function* untilAborted(signal: AbortSignal): AsyncIterable<Uint8Array> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
}
