import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RuntimeRef } from '../../../src-main/backends/backend.ts'
import { follow } from '../../../src-main/backends/docker/access-follow.ts'
import { attachTerminal } from '../../../src-main/backends/docker/attach.ts'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { runInContainer } from '../../../src-main/backends/docker/run-in-container.ts'
import { until } from '../../support/docker-scene.ts'

// An engine that answers what it is asked, but never opens a terminal: somebody who gives up must get away.

const ref = { id: 'x', name: 'bot-bottle-x', slug: 'x' } as RuntimeRef
const inspected = { Id: 'x', State: { Running: true, FinishedAt: '' }, Config: { Tty: true } }
const waiting = new Set<Socket>()

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  socket.once('data', (bytes: Buffer) => {
    const line = bytes.toString('latin1').split('\r\n', 1)[0] ?? ''
    if (/POST .*\/(attach|start)\b/.test(line)) {
      waiting.add(socket)
      socket.once('close', () => waiting.delete(socket))
      return
    }
    const text = JSON.stringify(line.includes('/exec') ? { Id: 'e' } : inspected)
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
  })
})

let port: number
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => server.close())

test.each(['attach', 'follow', 'run'])(
  '%s ends when its caller gives up, and so does its connection',
  async (way) => {
    const engine = createEngine({ HOME: '/nowhere', DOCKER_HOST: `tcp://127.0.0.1:${port}` })
    const stop = new AbortController()
    const opening =
      way === 'attach'
        ? attachTerminal(engine, '/nowhere', ref, { cols: 80, rows: 24 }, stop.signal)
        : way === 'follow'
          ? follow(engine, '/nowhere', ref, stop.signal)
          : runInContainer(engine, 'x', ['true'], { most: 1 }, stop.signal)
    const told = expect(opening).rejects.toMatchObject({ code: 'cancelled' })
    await until(async () => waiting.size === 1)
    stop.abort()
    await told
    await until(async () => waiting.size === 0)
  },
)
