import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { RuntimeRef } from '../../../../src-main/backends/backend.ts'
import { follow } from '../../../../src-main/backends/docker/access-follow.ts'
import { createTerminals } from '../../../../src-main/backends/docker/access-terminal.ts'
import type { Engine } from '../../../../src-main/backends/docker/engine.ts'
import { keepTail } from '../../../../src-main/backends/docker/keep-tail.ts'

const REF: RuntimeRef = {
  backend: 'docker',
  id: 'c1',
  name: 'bot-bottle-web',
  slug: 'web',
  runId: 'run-1',
  volumes: [],
  networks: [],
  sidecars: [],
  facts: {},
}

/** An engine with one running container that has a terminal. */
function engineWith(log: PassThrough, onLog: (path: string, signal: AbortSignal) => void) {
  const attached = new PassThrough()
  const engine = {
    env: {},
    get: async () => ({ State: { Running: true, FinishedAt: '' }, Config: { Tty: true } }),
    send: async () => null,
    call: async () => attached,
    stream: async (_what: string, path: string, signal: AbortSignal) => {
      onLog(path, signal)
      signal.addEventListener('abort', () => log.destroy(new Error('aborted')))
      return log
    },
  }
  return { engine: engine as unknown as Engine, attached }
}

it('keeps the end of what comes in pieces', () => {
  for (const size of [1, 3, 7, 50]) {
    const kept = keepTail(10)
    const all = Buffer.from(Array.from({ length: 999 }, (_, at) => at % 251))
    for (let at = 0; at < all.length; at += size) kept.add(all.subarray(at, at + size))
    expect(kept.bytes()).toEqual(all.subarray(-10))
    kept.add(Buffer.from('x'))
    expect(kept.bytes().at(-1)).toBe(120)
    expect(kept.bytes()).toHaveLength(10)
  }
  expect(keepTail(10).bytes()).toHaveLength(0)
})

it('asks for the end of a log, and holds no more of what comes meanwhile', async () => {
  const log = new PassThrough()
  const paths: string[] = []
  const { engine, attached } = engineWith(log, (path) => paths.push(path))
  const following = follow(engine, '/nowhere', REF, new AbortController().signal)
  const much = Buffer.alloc(1024 * 1024, 'x\r\n')
  for (let at = 0; at < 60; at++) {
    if (!attached.write(much)) await new Promise((resolve) => attached.once('drain', resolve))
  }
  attached.write('\r\nthe end')
  await new Promise((resolve) => setImmediate(resolve))
  log.end('before\r\n')
  const followed = await following
  const screen = await followed?.view?.look()
  expect(screen?.lines.at(-1)).toBe('the end')
  expect(paths.join()).toMatch(/&tail=\d+$/)
  followed?.close()
})

it('goes on opening for whoever still waits when the first gives up', async () => {
  const log = new PassThrough()
  const opened: AbortSignal[] = []
  const { engine } = engineWith(log, (_path, signal) => opened.push(signal))
  const terminals = createTerminals(engine, '/nowhere')
  const first = new AbortController()
  const given = terminals.screen(REF, first.signal)
  const other = terminals.screen(REF, new AbortController().signal)
  while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  first.abort()
  await expect(given).rejects.toMatchObject({ code: 'cancelled' })
  log.end('shown')
  expect((await other)?.lines[0]).toBe('shown')
  expect(opened).toHaveLength(1)
})

it('opens no more once nobody waits for it', async () => {
  const opened: AbortSignal[] = []
  const { engine } = engineWith(new PassThrough(), (_path, signal) => opened.push(signal))
  const terminals = createTerminals(engine, '/nowhere')
  const only = new AbortController()
  const given = terminals.screen(REF, only.signal)
  while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  only.abort()
  await expect(given).rejects.toMatchObject({ code: 'cancelled' })
  expect(opened[0]?.aborted).toBe(true)
})

it('ends a wait for output that is cancelled while it opens', async () => {
  const opened: AbortSignal[] = []
  const { engine } = engineWith(new PassThrough(), (_path, signal) => opened.push(signal))
  const stop = new AbortController()
  const heard = createTerminals(engine, '/nowhere').output(REF, stop.signal)[Symbol.asyncIterator]().next()
  while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  expect((await heard).done).toBe(true)
})
