import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectTcp, hostHeader } from '../../../../src-main/backends/docker/connect-tcp.ts'
import { parseEndpoint, resolveEndpoint } from '../../../../src-main/backends/docker/endpoint.ts'
import { tlsFailure } from '../../../../src-main/backends/docker/tls-errors.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'endpoint-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('the port that an address names counts, even the usual one of the web', () => {
  const portOf = (address: string) => parseEndpoint(address, null)
  expect(portOf('http://far.test:80')).toMatchObject({ port: 80, tls: null })
  expect(portOf('https://far.test:443/')).toMatchObject({ port: 443, tls: { verify: true } })
  expect(portOf('http://[::1]')).toMatchObject({ host: '::1', port: 2375 })
  expect(portOf('tcp://:2375')).toMatchObject({ host: 'localhost', port: 2375, remote: false })
  expect(portOf('tcp://127.far.test')).toMatchObject({ remote: true })
})

test('a socket without a path is the usual one; a path after an SSH host is the socket over there', () => {
  expect(parseEndpoint('unix://', null)).toMatchObject({ socketPath: '/var/run/docker.sock' })
  expect(parseEndpoint('ssh://far.test', null)).toMatchObject({ socketPath: null, username: null })
  expect(parseEndpoint('ssh://me@far.test/run/user/7/docker.sock', null)).toMatchObject({
    socketPath: '/run/user/7/docker.sock',
    url: 'ssh://me@far.test/run/user/7/docker.sock',
  })
})

test('a request names its host as an address does', () => {
  expect(hostHeader(parseEndpoint('tcp://[::1]:99', null))).toBe('[::1]:99')
  expect(hostHeader(parseEndpoint('tcp://far.test:99', null))).toBe('far.test:99')
  expect(hostHeader(parseEndpoint('unix:///x.sock', null))).toBe('docker')
})

test('verifying needs the authority, and only where there is a network', async () => {
  const env = { HOME: dir, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: dir }
  const tcp = { ...env, DOCKER_HOST: 'tcp://127.0.0.1:1' }
  await expect(resolveEndpoint(tcp)).rejects.toMatchObject({
    code: 'engine-missing',
    message: expect.stringContaining(join(dir, 'ca.pem')),
  })
  expect(await resolveEndpoint({ ...env, DOCKER_HOST: 'unix:///x.sock' })).toMatchObject({ kind: 'unix' })
  await writeFile(join(dir, 'ca.pem'), 'authority')
  expect(await resolveEndpoint(tcp)).toMatchObject({ tls: { verify: true, ca: Buffer.from('authority') } })
  await mkdir(join(dir, 'cert.pem'))
  await expect(resolveEndpoint(tcp)).rejects.toMatchObject({ message: expect.stringContaining('cert.pem') })
})

test('a context that checks no certificate still speaks TLS', async () => {
  const meta = join(dir, 'contexts/meta', createHash('sha256').update('far').digest('hex'))
  await mkdir(meta, { recursive: true })
  const docker = { Host: 'tcp://far.test', SkipTLSVerify: true }
  await writeFile(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker } }))
  expect(await resolveEndpoint({ HOME: dir, DOCKER_CONFIG: dir, DOCKER_CONTEXT: 'far' })).toMatchObject({
    port: 2376,
    tls: { verify: false },
  })
})

test('a connection over a network notices when the other side is gone, and holds no small write back', async () => {
  const kept = vi.spyOn(Socket.prototype, 'setKeepAlive')
  const hurried = vi.spyOn(Socket.prototype, 'setNoDelay')
  const endpoint = parseEndpoint('tcp://127.0.0.1:9', null)
  if (endpoint.kind !== 'tcp') throw new Error('not TCP')
  const socket = connectTcp(endpoint).on('error', () => undefined)
  socket.emit('connect')
  expect(kept).toHaveBeenCalledWith(true, 30_000)
  expect(hurried).toHaveBeenCalledWith(true)
  socket.destroy()
  kept.mockRestore()
  hurried.mockRestore()
})

test('each way that TLS fails has a sentence of its own', () => {
  const said = (code: string, message = '') => tlsFailure({ code, message }, 'tcp://far.test:2376')
  expect(said('ERR_TLS_CERT_ALTNAME_INVALID')).toContain('another name')
  expect(said('CERT_HAS_EXPIRED')).toContain('not valid today')
  expect(said('SELF_SIGNED_CERT_IN_CHAIN')).toContain('ca.pem')
  expect(said('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')).toContain('cert.pem')
  expect(said('EPROTO', 'write EPROTO: sslv3 alert handshake failure')).toContain('cert.pem')
  expect(said('ERR_SSL_WRONG_VERSION_NUMBER')).toContain('does not speak TLS')
  expect(said('ERR_OSSL_PEM_NO_START_LINE')).toContain('damaged')
  expect(said('ECONNREFUSED')).toBeNull()
})
