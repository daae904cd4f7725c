import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeWorldImage, removeWorldImage } from '../../support/fault-world.ts'
import { type IceboxHome, makeIceboxHome } from '../../support/icebox-home.ts'
import { sweepEngine } from '../../support/ledger.ts'

// The built command, for its Docker library is not the installed one: SSH is ours, and loaded by the first connection.

const SCRIPT = 'echo "$1" >> notes.txt; cat notes.txt'
const COMMAND = `[sh, -c, '${SCRIPT}', agent, '{prompt}']`

const commands: string[] = []
const machine = new ssh2.Server(
  { hostKeys: [ssh2.utils.generateKeyPairSync('ed25519').private] },
  (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (attempt) => attempt.accept())
    client.on('ready', () =>
      client.on('session', (accept) =>
        accept().on('exec', (run, _refuse, { command }) => {
          commands.push(command)
          const far = run()
          const socket = connect((process.env.DOCKER_HOST ?? '/var/run/docker.sock').replace('unix://', ''))
          far.pipe(socket).pipe(far)
          socket.on('error', () => far.close())
          socket.on('close', () => far.end())
        }),
      ),
    )
  },
)
// As sshd does it: small writes are not held back.
const server = createServer({ noDelay: true }, (socket) => machine.injectSocket(socket))

let home: IceboxHome
let image: string
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  env = { DOCKER_HOST: `ssh://someone@127.0.0.1:${port}`, SSH_AUTH_SOCK: '' }
  image = await makeWorldImage()
  home = await makeIceboxHome()
  await home.writeBottle('box', `backend: docker\nimage: ${image}`)
  await home.writeAgent(
    'far',
    `bottle: box\nprovider: custom\ncommand:\n  headless: ${COMMAND}\n  resume: ${COMMAND}`,
  )
})

afterAll(async () => {
  server.close()
  const rootId = await home.rootId()
  if (rootId) await sweepEngine(rootId)
  await home.remove()
  await removeWorldImage(image)
})

test('a bottle on an engine behind SSH starts, freezes, resumes with its data and goes', async () => {
  const started = await home.must(
    ['start', 'far', '--headless', '--label', `far-${process.pid}`, '--prompt', 'one'],
    { env },
  )
  const { slug } = started.json as { readonly slug: string }
  try {
    await home.must(['freeze', slug], { env })
    await home.must(['resume', slug, '--headless', '--prompt', 'two'], { env })
    const { json } = await home.must(['logs', slug], { env })
    expect(json).toMatchObject({ text: 'one\ntwo\n' })
    expect(started.stderr).not.toContain('Warning')
  } finally {
    await home.must(['destroy', slug, '--yes'], { env })
  }
  expect(new Set(commands)).toEqual(new Set(['docker system dial-stdio']))
})

test('a far machine that does not answer is told as an engine that is down', async () => {
  const gone = await home.icebox(['start', 'far', '--headless', '--prompt', 'x'], {
    env: { ...env, DOCKER_HOST: 'ssh://someone@127.0.0.1:1' },
  })
  expect(gone).toMatchObject({ errorCode: 'engine-down' })
  expect(gone.code).not.toBe(0)
})
