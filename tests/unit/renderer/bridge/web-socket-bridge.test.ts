import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StatePatch } from '../../../../src-preload/contract/entities.ts'
import type { Failure } from '../../../../src-preload/contract/errors.ts'
import { createWebSocketBridge } from '../../../../src-renderer/bridge/web-socket-bridge.ts'
import { type CannedServer, startCannedServer } from '../../../support/canned-server.ts'
import { bottle } from '../../../support/renderer-rows.ts'

let server: CannedServer
beforeEach(async () => {
  server = await startCannedServer({ root: '/nonexistent', scene: 'three' })
})
afterEach(() => server.close())
const connect = () => createWebSocketBridge(`${server.url.replace('http', 'ws')}ws`)

test('a call made before the connection stands is answered', async () => {
  const result = await connect().call('agent:sample', {})
  expect(result).toEqual({ ok: true, value: { agent: 'sample' } })
})

test('failures arrive as values', async () => {
  const result = await connect().call('bottle:detail', { slug: 'nobody' })
  expect(result).toMatchObject({ ok: false, error: { code: 'not-found' } })
})

test('patches reach their listener until it leaves', async () => {
  const bridge = connect()
  const seen: StatePatch[] = []
  const leave = bridge.on('state:patch', (patch) => seen.push(patch))
  await bridge.call('state:snapshot', {})
  server.push([{ entity: 'bottle', key: 'new', value: bottle('new') }])
  await vi.waitFor(() => expect(seen).toHaveLength(1))
  leave()
  server.push([{ entity: 'bottle', key: 'new', value: null }])
  await bridge.call('state:snapshot', {})
  expect(seen).toHaveLength(1)
})

test('stream bytes reach their own sink only, and what is typed comes back', async () => {
  const bridge = connect()
  const logs: string[] = []
  const terminal: string[] = []
  const into = (list: string[]) => ({
    data: (chunk: Uint8Array) => void list.push(new TextDecoder().decode(chunk)),
    end: () => {},
  })
  bridge.open('logs', { slug: 'web' }, into(logs))
  const handle = bridge.open('terminal', { slug: 'web', cols: 80, rows: 24 }, into(terminal))
  await bridge.call('state:snapshot', {})
  server.stream('logs', 'hello ✓')
  handle.input('ls')
  await vi.waitFor(() => expect([logs, terminal]).toEqual([['hello ✓'], ['ls']]))
})

test('a lost connection fails what was under way, is told, and comes back by itself', async () => {
  const bridge = connect()
  await bridge.call('state:snapshot', {})
  const states: boolean[] = []
  bridge.onConnection((isConnected) => states.push(isConnected))
  const ended: (Failure | null)[] = []
  bridge.open('logs', { slug: 'web' }, { data: () => {}, end: (error) => void ended.push(error) })
  server.drop()
  await vi.waitFor(() => expect(states).toEqual([false]))
  expect(ended).toMatchObject([{ message: 'The connection to Icebox was lost.', retryable: true }])
  expect(await bridge.call('state:snapshot', {})).toMatchObject({ ok: false, error: { retryable: true } })
  server.restore()
  await vi.waitFor(() => expect(states).toEqual([false, true]), { timeout: 5000 })
  expect(await bridge.call('state:snapshot', {})).toMatchObject({ ok: true })
})
