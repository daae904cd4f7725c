import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeWorldImage, removeWorldImage } from '../../support/fault-world.ts'
import { type IceboxHome, makeIceboxHome } from '../../support/icebox-home.ts'
import { sweepEngine } from '../../support/ledger.ts'
import { type SshMachine, startSshMachine } from '../../support/ssh-machine.ts'

// The built command and a real sshd: its library is not the installed one, and SSH is the person's own.

const SCRIPT = 'echo "$1" >> notes.txt; cat notes.txt'
const COMMAND = `[sh, -c, '${SCRIPT}', agent, '{prompt}']`

let machine: SshMachine
let home: IceboxHome
let image: string

beforeAll(async () => {
  machine = await startSshMachine()
  image = await makeWorldImage()
  home = await makeIceboxHome()
  await home.writeBottle('box', `backend: docker\nimage: ${image}`)
  await home.writeAgent(
    'far',
    `bottle: box\nprovider: custom\ncommand:\n  headless: ${COMMAND}\n  resume: ${COMMAND}`,
  )
})

afterAll(async () => {
  const rootId = await home.rootId()
  if (rootId) await sweepEngine(rootId)
  await home.remove()
  await removeWorldImage(image)
  await machine.stop()
})

const at = (address: string) => ({ env: { ...machine.env, DOCKER_HOST: address } })

test('a bottle on an engine behind a name of ~/.ssh/config, over a shared connection, starts, freezes, resumes with its data and goes', async () => {
  const far = at('ssh://far')
  const label = `far-${process.pid}`
  const started = await home.must(['start', 'far', '--headless', '--label', label, '--prompt', 'one'], far)
  const { slug } = started.json as { readonly slug: string }
  try {
    await home.must(['freeze', slug], far)
    await home.must(['resume', slug, '--headless', '--prompt', 'two'], far)
    const { json } = await home.must(['logs', slug], far)
    expect(json).toMatchObject({ text: 'one\ntwo\n' })
    expect(started.stderr).not.toContain('Warning')
  } finally {
    await home.must(['destroy', slug, '--yes'], far)
  }
})

describe('told in a sentence is', () => {
  afterEach(() => machine.remember())

  const start = (address: string, env: Readonly<Record<string, string>> = {}) => {
    const options = { env: { ...at(address).env, ...env } }
    return home.icebox(['start', 'far', '--headless', '--prompt', 'x'], options)
  }

  test('a machine that does not answer', async () => {
    const gone = await start('ssh://someone@127.0.0.1:1')
    expect(gone).toMatchObject({ errorCode: 'engine-down' })
    expect(gone.code).not.toBe(0)
  })

  test('a machine whose key nobody has looked at', async () => {
    await machine.forget()
    const unknown = await start(`ssh://127.0.0.1:${machine.port}`)
    expect(unknown).toMatchObject({ errorCode: 'engine-failed' })
    expect(unknown.stderr).toMatch(/key of 127\.0\.0\.1 is not known here, so nothing was sent\. Run `ssh -p/)
  })

  test('a machine that is another one than before', async () => {
    await machine.mistake()
    const other = await start(`ssh://127.0.0.1:${machine.port}`)
    expect(other).toMatchObject({ errorCode: 'engine-failed' })
    expect(other.stderr).toMatch(/key of 127\.0\.0\.1 is another one than is known here, so nothing was sent/)
  })

  test('a machine that lets nobody in with these keys', async () => {
    const refused = await start('ssh://nobody@far')
    expect(refused).toMatchObject({ errorCode: 'permission' })
    expect(refused.stderr).toMatch(/nobody@far accepts none of your SSH keys.*`ssh nobody@far` has to work/)
  })

  test('that ssh itself is missing', async () => {
    const without = await start('ssh://far', { PATH: '/nowhere' })
    expect(without).toMatchObject({ errorCode: 'engine-missing' })
    expect(without.stderr).toContain('The program `ssh` is not installed')
  })
})
