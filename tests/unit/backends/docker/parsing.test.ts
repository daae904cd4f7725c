import { expect, it } from 'vitest'
import { resolveUser } from '../../../../src-main/backends/docker/container-files.ts'
import { parseDockerIgnore } from '../../../../src-main/backends/docker/docker-ignore.ts'
import { toFact } from '../../../../src-main/backends/docker/docker-list.ts'
import { parseEndpoint, resolveEndpoint } from '../../../../src-main/backends/docker/endpoint.ts'
import { toChange } from '../../../../src-main/backends/docker/events.ts'
import { jsonLines } from '../../../../src-main/backends/docker/json-lines.ts'
import { isContainerName, isImageName, slugFromName } from '../../../../src-main/backends/docker/labels.ts'
import { demux } from '../../../../src-main/backends/docker/logs.ts'
import { planVolumes } from '../../../../src-main/backends/docker/own-volumes.ts'
import { createUndo } from '../../../../src-main/backends/docker/undo.ts'

const row = {
  Id: 'abc',
  Names: ['/other/alias', '/bot-bottle-web-1'],
  Image: 'busybox',
  Created: 1_700_000_000,
  State: 'exited',
  Status: 'Exited (137) 3 minutes ago',
  Labels: {
    'dev.icebox.root': 'r',
    'dev.icebox.slug': 'web-1',
    'dev.icebox.run': '',
    'dev.icebox.role': 'sidecar',
  },
}

it('reads a row of the engine’s list; a blank label is none', () => {
  expect(toFact(row)).toEqual({
    backend: 'docker',
    id: 'abc',
    name: 'bot-bottle-web-1',
    root: 'r',
    slug: 'web-1',
    runId: null,
    state: 'exited',
    exitCode: 137,
    image: 'busybox',
    createdAt: '2023-11-14T22:13:20.000Z',
    role: 'sidecar',
  })
  expect(toFact({ ...row, State: 'running', Status: 'Up 3 minutes', Labels: null })).toMatchObject({
    state: 'running',
    exitCode: null,
    root: null,
    role: 'agent',
  })
  expect(toFact({ ...row, State: 'restarting' }).state).toBe('running')
  expect(toFact({ ...row, State: 'dead', Status: 'Dead' })).toMatchObject({ state: 'exited', exitCode: null })
})

it('understands the addresses of a daemon', () => {
  expect(parseEndpoint('unix:///x/y.sock', null)).toMatchObject({
    kind: 'unix',
    socketPath: '/x/y.sock',
    remote: false,
  })
  expect(parseEndpoint('tcp://127.0.0.1:99', null)).toMatchObject({
    kind: 'tcp',
    port: 99,
    remote: false,
    tls: null,
  })
  expect(parseEndpoint('tcp://[::1]:99', null)).toMatchObject({ host: '::1', remote: false })
  expect(parseEndpoint('tcp://far.test', { verify: true })).toMatchObject({ port: 2376, remote: true })
  const ssh = parseEndpoint('ssh://me:hidden@far.test:2222', null)
  expect(ssh).toMatchObject({ kind: 'ssh', host: 'far.test', port: 2222, username: 'me', remote: true })
  expect(JSON.stringify(ssh)).not.toContain('hidden')
  for (const bad of ['npipe:////./pipe/x', 'far.test:2375', '', 'ssh://'])
    expect(() => parseEndpoint(bad, null)).toThrow(/not understood/)
})

it('prefers DOCKER_HOST and falls back to the usual socket', async () => {
  const env = { HOME: '/nowhere', DOCKER_HOST: 'tcp://far.test:1', DOCKER_CONTEXT: 'lost' }
  expect(await resolveEndpoint(env)).toMatchObject({ kind: 'tcp', host: 'far.test' })
  expect(await resolveEndpoint({ HOME: '/nowhere' }, 'linux')).toMatchObject({
    socketPath: '/var/run/docker.sock',
  })
  await expect(resolveEndpoint({ HOME: '/nowhere', DOCKER_CONTEXT: 'lost' })).rejects.toMatchObject({
    code: 'engine-missing',
  })
})

it('matches .dockerignore as Docker does', () => {
  const ignores = parseDockerIgnore('# note\n*.md\n!README.md\n/build/\n**/node_modules\ntemp?\n[x]\n\r\n')
  expect(
    ['a.md', 'build', 'build/x/y', 'node_modules/a', 'deep/er/node_modules/b', 'temp1', '[x]'].filter(
      (path) => !ignores(path),
    ),
  ).toEqual([])
  expect(['README.md', 'sub/a.md', 'rebuild', 'temp', 'temp12', 'x'].filter(ignores)).toEqual([])
})

it('finds the user that an image names', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\ndev:x:1001:1002::/home/dev:/bin/sh\n'
  expect(resolveUser('', passwd, '', null)).toEqual({ owner: { uid: 0, gid: 0 }, home: '/root' })
  expect(resolveUser('dev', passwd, '', null)).toEqual({ owner: { uid: 1001, gid: 1002 }, home: '/home/dev' })
  expect(resolveUser('1001', passwd, '', '/h')).toEqual({ owner: { uid: 1001, gid: 1002 }, home: '/h' })
  expect(resolveUser('7:staff', passwd, 'staff:x:50:', null)).toEqual({
    owner: { uid: 7, gid: 50 },
    home: '/',
  })
  expect(resolveUser('nobody-knows', '', '', null).owner).toEqual({ uid: 0, gid: 0 })
})

it('takes log frames apart however they are cut', async () => {
  const frame = (stream: number, body: string) => {
    const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
    head.writeUInt32BE(body.length, 4)
    return Buffer.concat([head, Buffer.from(body)])
  }
  const whole = Buffer.concat([frame(1, 'one\n'), frame(2, ''), frame(2, 'two\n'), frame(1, 'x'.repeat(300))])
  for (const size of [1, 3, 8, 11, 1000]) {
    const pieces = async function* () {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
    }
    let text = ''
    for await (const part of demux(pieces())) text += Buffer.from(part).toString()
    expect(text).toBe(`one\ntwo\n${'x'.repeat(300)}`)
  }
})

it('splits JSON lines across chunks and letters', async () => {
  const bytes = Buffer.from('{"a":"ü"}\n\n{"b":2}')
  const pieces = async function* () {
    for (const byte of bytes) yield Buffer.from([byte])
  }
  const seen = []
  for await (const value of jsonLines(pieces())) seen.push(value)
  expect(seen).toEqual([{ a: 'ü' }, { b: 2 }])
})

it('tells only events of this root and of unlabelled bottles', () => {
  const event = (Attributes: Record<string, string>, Action = 'die') => ({
    Action,
    Actor: { ID: 'i', Attributes },
  })
  expect(toChange(event({ name: 'bot-bottle-a' }), 'r')).toMatchObject({ slug: 'a', kind: 'exited', id: 'i' })
  expect(toChange(event({ name: 'x', 'dev.icebox.root': 'r', 'dev.icebox.slug': 's' }), 'r')).toMatchObject({
    slug: 's',
  })
  expect(toChange(event({ name: 'bot-bottle-a', 'dev.icebox.root': 'other' }), 'r')).toBeNull()
  expect(toChange(event({ name: 'web' }), 'r')).toBeNull()
  expect(toChange(event({ name: 'bot-bottle-a' }, 'exec_start'), 'r')).toBeNull()
  expect(toChange(event({ name: 'moved', oldName: '/bot-bottle-a' }, 'rename'), 'r')).toMatchObject({
    kind: 'renamed',
  })
})

it('plans the volumes of a run: image, plan and snapshot, each place once', () => {
  const mount = (type: 'bind' | 'volume', source: string, target: string, external = false) => ({
    type,
    source,
    target,
    readOnly: false,
    external,
  })
  const part = (destination: string) =>
    ({ destination, kind: 'anonymous', name: '', file: '0.tar', bytes: 1, sha256: '' }) as const
  const plan = planVolumes(
    'r',
    ['/anon/', '/bound'],
    [
      mount('volume', 'cache', '/named'),
      mount('bind', '/h', '/bound'),
      mount('volume', 'shared', '/ext', true),
    ],
    [part('/anon'), part('/only-in-snapshot'), part('/bound')],
  )
  expect(
    plan.own.map(({ name, destination, declared, part: from }) => [
      name,
      destination,
      declared,
      from !== null,
    ]),
  ).toEqual([
    ['icebox-vol-r-0', '/anon', '', true],
    ['icebox-vol-r-1', '/named', 'cache', false],
    ['icebox-vol-r-2', '/only-in-snapshot', '', true],
  ])
  expect(plan.others.map((one) => one.target)).toEqual(['/bound', '/ext'])
  expect(plan.notices).toHaveLength(1)
})

it('reads slugs from names and refuses names that would change a request', () => {
  expect(slugFromName('/bot-bottle-web-1')).toBe('web-1')
  for (const name of ['bot-bottle-web.prev-abc', 'bot-bottle-', 'web', 'bot-bottle-A'])
    expect(slugFromName(name)).toBeNull()
  expect(['a', 'a.b_c-1'].every(isContainerName)).toBe(true)
  expect(['', '../x', 'a/b', 'a?b', '-a', 'a b'].some(isContainerName)).toBe(false)
  expect(['busybox', 'r.test:5000/a/b:1', `x@sha256:${'a'.repeat(64)}`, 'sha256:ab'].every(isImageName)).toBe(
    true,
  )
  expect(['', 'a b', '../x', 'a?b=c', 'a#b'].some(isImageName)).toBe(false)
})

it('takes back newest first and names what it could not', async () => {
  const order: string[] = []
  const undo = createUndo()
  undo.add('first', async () => order.push('first'))
  undo.add('second', () => Promise.reject(new Error('no')))
  undo.add('third', async () => order.push('third'))
  expect(await undo.run()).toEqual([expect.stringContaining('second')])
  expect(order).toEqual(['third', 'first'])
  expect(await undo.run()).toEqual([])
})
