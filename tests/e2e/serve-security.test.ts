import { readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, openSocket, startTestServer, type TestServer } from '../support/serve.ts'

let server: TestServer
let cookie = ''
beforeAll(async () => {
  server = await startTestServer()
  cookie = await server.login()
})
afterAll(() => server.close())

/** Sends bytes as they are and returns all that comes back until the other side closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (data) => {
      answer += String(data)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

describe('getting in', () => {
  test('a link becomes a cookie once, and the token leaves the address', async () => {
    const url = new URL(server.server.newLink())
    expect(url.hostname).toBe('127.0.0.1')
    expect(Buffer.from(url.searchParams.get('token') ?? '', 'base64url')).toHaveLength(32)
    const first = await ask(server.port, url.search, {})
    expect(first).toMatchObject({ status: 302, headers: { location: '/' } })
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(/; HttpOnly; SameSite=Strict; Path=\/$/),
    ])
    const second = await ask(server.port, url.search, {})
    expect(second.status).toBe(403)
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(second.body).toContain('icebox serve --new-link')
  })

  test('who is in already and opens an old link stays in', async () => {
    expect(await ask(server.port, '/?token=used', { headers: { cookie } })).toMatchObject({ status: 302 })
  })

  test('a link preview uses nothing up', async () => {
    const { search } = new URL(server.server.newLink())
    expect((await ask(server.port, search, { method: 'HEAD' })).status).toBe(403)
    expect((await ask(server.port, search, {})).status).toBe(302)
  })

  test('without a cookie there is no page, no file and no socket', async () => {
    for (const path of ['/', '/index.html', '/assets/main-Ab3dEf9h.js', '/none']) {
      const answer = await ask(server.port, path, {})
      expect(answer.status, path).toBe(403)
      expect(answer.body).toContain('icebox serve --new-link')
    }
    await expect(openSocket(server.port, { origin: server.origin })).rejects.toThrow('refused 403')
    await expect(openSocket(server.port, { origin: server.origin, cookie: 'icebox-x=1' })).rejects.toThrow(
      'refused 403',
    )
  })

  test('two servers on one host keep their cookies apart', async () => {
    const other = await startTestServer()
    try {
      const both = `${cookie}; ${await other.login()}`
      expect((await ask(server.port, '/', { headers: { cookie: both } })).status).toBe(200)
      expect((await ask(other.port, '/', { headers: { cookie: both } })).status).toBe(200)
      expect((await ask(other.port, '/', { headers: { cookie } })).status).toBe(403)
    } finally {
      await other.close()
    }
  })
})

describe('where requests come from', () => {
  test.each(['127.0.0.1', 'localhost:8080', '[::1]:9', 'LOCALHOST', '127.0.0.1:65535'])(
    'Host %s is fine',
    async (host) => {
      expect((await ask(server.port, '/', { headers: { host, cookie } })).status).toBe(200)
      const socket = await openSocket(server.port, { host, cookie, origin: `http://${host}` })
      socket.socket.close()
    },
  )

  test.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.example#127.0.0.1',
    '127.0.0.1@evil.example',
    '127.0.0.2',
    '0.0.0.0',
    '[::]',
    '127.1',
    'localhost:',
    '127.0.0.1:999999',
  ])('Host %j is refused, cookie or not', async (host) => {
    expect((await ask(server.port, '/', { headers: { host, cookie } })).status).toBe(403)
    await expect(openSocket(server.port, { host, cookie, origin: `http://${host}` })).rejects.toThrow(
      'refused 403',
    )
  })

  test('a request with no Host or two of them is refused', async () => {
    const line = `GET / HTTP/1.1\r\nCookie: ${cookie}\r\nConnection: close\r\n`
    expect(await raw(server.port, `${line}\r\n`)).toMatch(/^HTTP\/1.1 400/)
    expect(await raw(server.port, `${line}Host:\r\n\r\n`)).toMatch(/^HTTP\/1.1 40[03]/)
    expect(await raw(server.port, `${line}Host: 127.0.0.1\r\nHost: evil.example\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 400/,
    )
    expect(await raw(server.port, `GET / HTTP/1.0\r\nCookie: ${cookie}\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/)
  })

  test('another origin is refused, and the socket needs one', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'https://127.0.0.1',
      `http://127.0.0.1:${server.port + 1}`,
      'file://',
    ]) {
      expect((await ask(server.port, '/', { headers: { origin, cookie } })).status, origin).toBe(403)
      await expect(openSocket(server.port, { origin, cookie }), origin).rejects.toThrow('refused 403')
    }
    expect((await ask(server.port, '/', { headers: { origin: server.origin, cookie } })).status).toBe(200)
    await expect(openSocket(server.port, { cookie })).rejects.toThrow('refused 403')
    await expect(openSocket(server.port, { cookie, origin: server.origin }, '/other')).rejects.toThrow(
      'refused 403',
    )
  })
})

describe('what is served', () => {
  test('every answer carries the strict headers', async () => {
    const answers = await Promise.all([
      ask(server.port, '/', { headers: { cookie } }),
      ask(server.port, '/', {}),
      ask(server.port, '/none.js', { headers: { cookie } }),
      ask(server.port, '/', { headers: { host: 'evil.example' } }),
      ask(server.port, new URL(server.server.newLink()).search, {}),
    ])
    for (const { headers } of answers) {
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src '(self|none)';.*frame-ancestors 'none'$/,
      )
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test('hashed assets may be kept, and HEAD has no body', async () => {
    const asset = await ask(server.port, '/assets/main-Ab3dEf9h.js', { headers: { cookie } })
    expect(asset).toMatchObject({ status: 200, body: 'export {}' })
    expect(asset.headers['cache-control']).toContain('immutable')
    const head = await ask(server.port, '/', { method: 'HEAD', headers: { cookie } })
    expect(head).toMatchObject({ status: 200, body: '' })
  })

  test.each([
    '/../secret.json',
    '/%2e%2e/secret.json',
    '/..%2fsecret.json',
    '/%252e%252e%252fsecret.json',
    '/..\\secret.json',
    '/..%5csecret.json',
    '/assets/../../secret.json',
    '/assets/%2e%2e/%2e%2e/secret.json',
    '/etc/passwd',
    '/%00',
    '/%',
    '/index.html/',
    '/assets/',
  ])('%s leads nowhere', async (path) => {
    const answer = await ask(server.port, path, { headers: { cookie } })
    expect(answer.status).toBe(404)
    expect(answer.body).not.toContain('secret')
  })

  test.each(['//evil.example/', 'http://evil.example/', '*', 'http://127.0.0.1/../secret.json'])(
    'the address form %s is refused',
    async (path) => {
      expect((await ask(server.port, path, { headers: { cookie } })).status).toBe(400)
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is not answered', async (method) => {
    expect((await ask(server.port, '/', { method, headers: { cookie } })).status).toBe(405)
  })

  test('oversize headers and slow ones end', async () => {
    const big = await raw(
      server.port,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`,
    )
    expect(big).toMatch(/^HTTP\/1.1 (400|431)/)
    const slow = await raw(server.port, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
    expect(slow).toMatch(/^HTTP\/1.1 4|^$/)
  }, 30_000)
})

describe('the admin door', () => {
  const record = async () =>
    JSON.parse(await readFile(join(server.home, 'icebox', 'serve.json'), 'utf8')) as {
      adminKey: string
      port: number
    }

  test('only the key in the private file opens it, and never from a browser', async () => {
    const file = join(server.home, 'icebox', 'serve.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { adminKey } = await record()
    const authorization = `Bearer ${adminKey}`
    const post = (headers: Record<string, string>) =>
      ask(server.port, '/new-link', { method: 'POST', headers })
    expect((await post({})).status).toBe(403)
    expect((await post({ cookie })).status).toBe(403)
    expect((await post({ authorization: `${authorization}x` })).status).toBe(403)
    expect((await post({ authorization, origin: server.origin })).status).toBe(403)
    expect((await post({ authorization, host: 'evil.example' })).status).toBe(403)
    expect((await ask(server.port, '/new-link', { headers: { authorization } })).status).toBe(405)
    const good = await post({ authorization })
    const { url } = JSON.parse(good.body) as { url: string }
    expect((await ask(server.port, new URL(url).search, {})).status).toBe(302)
  })

  test('the file holds no token and goes with the server', async () => {
    const other = await startTestServer()
    const file = join(other.home, 'icebox', 'serve.json')
    const token = new URL(other.server.url).searchParams.get('token') ?? 'none'
    expect(await readFile(file, 'utf8')).not.toContain(token)
    await other.server.close()
    await expect(stat(file)).rejects.toThrow()
    await other.close()
  })
})
