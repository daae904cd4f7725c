import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Backend } from '../../../src-main/backends/backend.ts'
import { createTerminals } from '../../../src-main/backends/docker/access-terminal.ts'
import { createDockerBackend } from '../../../src-main/backends/docker/docker-backend.ts'
import { createEngine } from '../../../src-main/backends/docker/engine.ts'
import { runInContainer } from '../../../src-main/backends/docker/run-in-container.ts'
import { type DockerScene, makeDockerScene, until } from '../../support/docker-scene.ts'
import { ensureBusyboxImage } from '../../support/images.ts'
import { startTlsEngine, type TlsEngine } from '../../support/tls-engine.ts'

let image: string
let tls: TlsEngine
let scene: DockerScene

beforeAll(async () => {
  image = await ensureBusyboxImage()
  tls = await startTlsEngine()
  scene = await makeDockerScene({ env: environment(tls.certs.good) })
})

afterAll(async () => {
  await scene.dispose()
  await tls.stop()
})

const environment = (certs: string, port = tls.port) => ({
  PATH: process.env.PATH,
  HOME: '/nowhere',
  DOCKER_HOST: `tcp://127.0.0.1:${port}`,
  DOCKER_TLS_VERIFY: '1',
  DOCKER_CERT_PATH: certs,
})

const backendOf = (env: NodeJS.ProcessEnv): Backend =>
  createDockerBackend({ rootId: scene.root.id, home: scene.root.dir, env })

/** Both ways to the engine: by hand, and through the library. */
async function failuresOf(env: NodeJS.ProcessEnv): Promise<readonly unknown[]> {
  const engine = createEngine(env)
  const ways = [
    engine.get('look', '/version', scene.signal, 60_000),
    engine.stream('look', '/events', scene.signal),
    engine.call('look', scene.signal, (docker) => docker.version()),
  ]
  return Promise.all(ways.map((way) => way.then(() => 'connected', Object)))
}

test('a bottle on an engine behind TLS starts, shows its output, takes what is typed and goes', async () => {
  const script = 'read one; echo "got $one"; read two; echo "got $two"'
  const plan = scene.plan(image, script, { tty: true })
  const ref = await scene.launch(plan)
  expect(await scene.backend.list(scene.signal)).toMatchObject([{ slug: plan.slug }])

  const engine = createEngine(environment(tls.certs.good))
  const beside = ['sh', '-c', 'read word; echo "$word" beside']
  const input = Buffer.from('word\n')
  const { output } = await runInContainer(engine, ref.id, beside, { input, most: 100 }, scene.signal)
  expect(output.toString()).toBe('word beside\n')

  const channel = await scene.backend.attach(ref, { cols: 80, rows: 24 }, scene.signal)
  const strokes = [{ text: 'typed' }, { key: 'Enter' }] as const
  await createTerminals(engine, scene.root.dir).type(ref, strokes, scene.signal)
  await channel.write(Buffer.from('hello\n'))
  let shown = ''
  for await (const chunk of channel.data) shown += Buffer.from(chunk).toString('utf8')
  expect(shown).toMatch(/got typed[\s\S]*got hello/)
  expect(await scene.backend.wait(ref, scene.signal)).toMatchObject({ exitCode: 0 })
  expect(await scene.output(ref)).toContain('got hello')
  await until(async () => tls.open() === 0)
})

test('without a certificate of its own, or against another authority, nothing gets in and the error says why', async () => {
  const before = tls.accepted()
  for (const failed of await failuresOf(environment(tls.certs.anonymous)))
    expect(failed).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('cert.pem') })
  for (const failed of await failuresOf(environment(tls.certs.foreign)))
    expect(failed).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('ca.pem') })
  expect(tls.accepted()).toBe(before)
  const report = await backendOf(environment(tls.certs.foreign)).probe(scene.signal)
  expect(report).toMatchObject({ state: 'unknown', reason: expect.stringContaining('ca.pem') })
})

test.each(['DNS:docker', 'IP:127.0.0.2,DNS:localhost'])(
  'a server that proves to be %s is not the one at the address',
  async (names) => {
    const other = await startTlsEngine(names)
    try {
      for (const failed of await failuresOf(environment(other.certs.good, other.port)))
        expect(failed).toMatchObject({
          code: 'engine-failed',
          message: expect.stringContaining('another name'),
        })
    } finally {
      await other.stop()
    }
  },
)

test('a port where nobody listens is an engine that is down; one that speaks no TLS is told', async () => {
  const plain = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 no\r\n\r\n')))
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
  const { port } = plain.address() as AddressInfo
  for (const failed of await failuresOf(environment(tls.certs.good, port)))
    expect(failed).toMatchObject({ message: expect.stringContaining('does not speak TLS') })
  plain.close()
  await once(plain, 'close')
  for (const failed of await failuresOf(environment(tls.certs.good, port)))
    expect(failed).toMatchObject({ code: 'engine-down', message: expect.stringContaining(`:${port}`) })
})
