import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import ssh2, { type ServerChannel } from 'ssh2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { until } from '../../support/docker-scene.ts'
import { writeSsh } from '../../support/ssh-machine.ts'

// What an engine behind SSH answers is played here: only the connection is looked at.

const commands: string[] = []
const names: string[] = []
let answer: (channel: ServerChannel) => void
let open = 0
const far = new ssh2.Server({ hostKeys: [ssh2.utils.generateKeyPairSync('ed25519').private] }, (client) => {
  open += 1
  client.on('error', () => undefined)
  client.on('close', () => {
    open -= 1
  })
  client.on('authentication', (attempt) => {
    names.push(attempt.username)
    attempt.accept()
  })
  client.on('ready', () =>
    client.on('session', (accept) =>
      accept().on('exec', (run, _refuse, { command }) => {
        commands.push(command)
        const channel = run()
        channel.on('error', () => undefined)
        answer(channel)
      }),
    ),
  )
})
// As sshd does it: small writes are not held back.
const server = createServer({ noDelay: true }, (socket) => far.injectSocket(socket))

let port: number
let dir: string
let path: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ssh-'))
  path = await writeSsh(dir, 'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.close()
  await rm(dir, { recursive: true, force: true })
})

const at = (host: string) => createEngine({ HOME: '/nowhere', PATH: path, DOCKER_HOST: `ssh://${host}` })

test('without a name it is the own one, and a path is the socket that Docker asks over there', async () => {
  answer = (channel) => {
    channel.once('data', () => channel.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
  }
  const engine = at(`127.0.0.1:${port}/run/it's.sock`)
  expect(await engine.get('look', '/version', AbortSignal.timeout(60_000), 60_000)).toEqual({})
  expect(commands).toEqual([`docker --host 'unix:///run/it'\\''s.sock' system dial-stdio`])
  expect(names).toContain(userInfo().username)
  await until(async () => open === 0)
})

test('a stream or a terminal that is given up unread leaves no connection behind', async () => {
  const much = 'x'.repeat(0x40000)
  answer = (channel) => {
    channel.once('data', (asked: Buffer) => {
      channel.write(
        asked.includes('POST')
          ? `HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${much}`
          : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n${much}\r\n`,
      )
    })
  }
  const engine = at(`me@127.0.0.1:${port}`)
  const stop = new AbortController()
  const stream = await engine.stream('look', '/events', stop.signal)
  stream.on('error', () => undefined)
  const terminal = await engine.call('type', stop.signal, (docker) =>
    docker.getExec('x').start({ hijack: true, stdin: true }),
  )
  expect(open).toBe(2)
  stop.abort()
  terminal.destroy()
  await until(async () => open === 0)
})

test.each([
  ['sh: 1: docker: not found', 127, 'engine-missing', 'has no `docker` command'],
  ['Cannot connect to the Docker daemon', 1, 'engine-down', 'could not be reached'],
])('a machine that ends the connection with %s is told', async (said, exitCode, code, text) => {
  answer = (channel) => {
    channel.stderr.write(`${said}\n`)
    channel.exit(exitCode)
    channel.end()
  }
  const asked = at(`me@127.0.0.1:${port}`).get('look', '/version', AbortSignal.timeout(60_000), 60_000)
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(text) })
  await until(async () => open === 0)
})
