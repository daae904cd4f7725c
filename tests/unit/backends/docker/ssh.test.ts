import { expect, test } from 'vitest'
import { type SshEndpoint, sshArguments } from '../../../../src-main/backends/docker/connect-ssh.ts'
import { parseEndpoint } from '../../../../src-main/backends/docker/endpoint.ts'
import { sshFailure } from '../../../../src-main/backends/docker/ssh-errors.ts'

const argumentsFor = (address: string) => sshArguments(parseEndpoint(address, null) as SshEndpoint)
const machine = { host: 'far', username: null, port: null }

test('what an address does not name is left to ~/.ssh/config', () => {
  expect(argumentsFor('ssh://far')).not.toContain('-l')
  expect(argumentsFor('ssh://far')).not.toContain('-p')
  expect(argumentsFor('ssh://far').slice(-3)).toEqual(['--', 'far', 'docker system dial-stdio'])
  expect(argumentsFor('ssh://me@[::1]:2222').slice(-7)).toEqual([
    '-l',
    'me',
    '-p',
    '2222',
    '--',
    '::1',
    'docker system dial-stdio',
  ])
})

test('ssh asks nothing, and does nothing else that a configuration adds to a session', () => {
  const given = argumentsFor('ssh://far').filter((word) => word.includes('='))
  expect(given).toEqual(
    expect.arrayContaining(['BatchMode=yes', 'ClearAllForwardings=yes', 'RemoteCommand=none']),
  )
  expect(given.join(' ')).not.toContain('StrictHostKeyChecking')
})

test('a name that looks like an option stays a name', () => {
  const given = argumentsFor('ssh://-oProxyCommand=x')
  expect(given.indexOf('--')).toBeLessThan(given.indexOf('-oProxyCommand=x'))
  expect(given.slice(given.indexOf('--'))).toHaveLength(3)
})

test('a socket over there is one word of its shell', () => {
  expect(argumentsFor("ssh://far/run/it's.sock").at(-1)).toBe(
    `docker --host 'unix:///run/it'\\''s.sock' system dial-stdio`,
  )
})

test.each([
  ['Host key verification failed.', 'engine-failed', /not known here.*`ssh far`/],
  [
    'No ED25519 host key is known for far and you have requested strict checking.',
    'engine-failed',
    /not known/,
  ],
  [
    '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
    'engine-failed',
    /another one/,
  ],
  ['me@far: Permission denied (publickey,password).', 'permission', /none of your SSH keys/],
  ['bash: line 1: docker: command not found', 'engine-missing', /no `docker` command/],
])('%s', (said, code, sentence) => {
  expect(sshFailure(said, machine)).toEqual({ code, message: expect.stringMatching(sentence) })
})

test('what ssh says of a machine that is away is no reason of its own', () => {
  expect(sshFailure('ssh: connect to host far port 22: Connection refused', machine)).toBeNull()
})

test('the command that a person is told reaches the same machine', () => {
  const failure = sshFailure('Host key verification failed.', { host: 'far', username: 'me', port: 2222 })
  expect(failure?.message).toContain('`ssh -p 2222 me@far`')
})
