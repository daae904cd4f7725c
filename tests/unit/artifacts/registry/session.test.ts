import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { MEDIA } from '../../../../src-main/artifacts/oci.ts'
import { downloadBlob, hasBlob } from '../../../../src-main/artifacts/registry/blobs.ts'
import { findManifest, putManifest } from '../../../../src-main/artifacts/registry/manifests.ts'
import { parseReference } from '../../../../src-main/artifacts/registry/reference.ts'
import { openSession } from '../../../../src-main/artifacts/registry/session.ts'
import { fakeRegistry } from '../../../support/fake-registry.ts'
import { blobFile, registryScene, retries, signal } from './scene.ts'

const PASSWORD = 'canary-password-91'
const LOGIN = { auth: Buffer.from(`me:${PASSWORD}`).toString('base64') }
const DIGEST = `sha256:${'0'.repeat(64)}`

/** A token service and a registry that wants its tokens; the tokens are told in the order they were given. */
async function withTokens(login?: object, grant: (authorization: string | undefined) => number = () => 200) {
  const asked: { url: URL; authorization: string | undefined; body: string }[] = []
  const valid = new Set<string>()
  const service = await fakeRegistry({
    async before(request, response) {
      const body = await text(request)
      const authorization = request.headers.authorization
      asked.push({
        url: new URL(request.url ?? '', 'http://service'),
        authorization,
        body,
      })
      const status = grant(authorization)
      const token = `canary-token-${asked.length}`
      if (status === 200) valid.add(token)
      response.writeHead(status).end(JSON.stringify({ token }))
      return true
    },
  })
  const made = await registryScene(
    {
      before(request, response) {
        const { authorization } = request.headers
        if (request.url === '/v2/' || valid.has((authorization ?? '').replace('Bearer ', ''))) return false
        const realm = `http://${service.host}/token`
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="reg",scope="x"` })
          .end()
        return true
      },
    },
    login ? { login } : {},
  )
  return { ...made, asked, valid }
}

describe('tokens', () => {
  test('name and password go to the token service, the token to the registry', async () => {
    const { session, registry, asked } = await withTokens(LOGIN)
    expect(await hasBlob(session, DIGEST, signal)).toBe(false)
    expect(await hasBlob(session, DIGEST, signal)).toBe(false)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.url.searchParams.get('scope')).toBe('repository:me/web:pull,push')
    expect(asked[0]?.url.searchParams.get('service')).toBe('reg')
    expect(asked[0]?.authorization).toBe(`Basic ${LOGIN.auth}`)
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
      'Bearer canary-token-1',
      'Bearer canary-token-1',
    ])
  })
  test('an expired one is had anew, once for all that meet it', async () => {
    const { session, asked, valid } = await withTokens()
    await hasBlob(session, DIGEST, signal)
    valid.clear()
    await Promise.all([1, 2, 3].map(() => hasBlob(session, DIGEST, signal)))
    expect(asked).toHaveLength(2)
    expect(asked[0]?.authorization).toBeUndefined()
  })
  test('an identity token is exchanged', async () => {
    const { session, asked } = await withTokens({ identitytoken: 'canary-refresh' })
    expect(await hasBlob(session, DIGEST, signal)).toBe(false)
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'icebox',
      refresh_token: 'canary-refresh',
      scope: 'repository:me/web:pull,push',
      service: 'reg',
    })
  })
  test('refused: what to do is said, and no secret', async () => {
    const { session } = await withTokens(LOGIN, () => 401)
    const error = await hasBlob(session, DIGEST, signal).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'permission',
      message: expect.stringContaining('docker login 127.0.0.1'),
    })
    expect(inspect(error, { depth: 10 })).not.toMatch(/canary|bWU6/)
  })
  test('a token service without TLS elsewhere gets nothing', async () => {
    const { session } = await registryScene(
      {
        before(request, response) {
          if (request.url === '/v2/') return false
          response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://tokens.example.com/t"' }).end()
          return true
        },
      },
      { login: LOGIN },
    )
    const error = await hasBlob(session, DIGEST, signal).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'registry-failed', message: expect.stringContaining('without TLS') })
  })
})

describe('name and password', () => {
  const wantsBasic = (accept: string | null) => ({
    before(
      request: import('node:http').IncomingMessage,
      response: import('node:http').ServerResponse,
    ): boolean {
      if (request.url === '/v2/' || request.headers.authorization === accept) return false
      const sent = request.headers.authorization ?? ''
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' })
      response.end(
        JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: `you sent ${sent} ${PASSWORD}` }] }),
      )
      return true
    },
  })
  test('are sent when they are asked for', async () => {
    const { session, registry } = await registryScene(wantsBasic(`Basic ${LOGIN.auth}`), { login: LOGIN })
    expect(await hasBlob(session, DIGEST, signal)).toBe(false)
    expect(registry.seen.filter(({ authorization }) => authorization)).toHaveLength(1)
  })
  test('missing or wrong ones are told, and what a registry repeats of them is not', async () => {
    const none = await registryScene(wantsBasic(null))
    await expect(hasBlob(none.session, DIGEST, signal)).rejects.toMatchObject({ code: 'permission' })
    const wrong = await registryScene(wantsBasic(null), { login: LOGIN })
    const error = await findManifest(wrong.session, 'v1', signal).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'permission', detail: expect.stringContaining('UNAUTHORIZED') })
    expect(inspect(error, { depth: 10 })).not.toMatch(/canary|bWU6/)
  })
})

describe('redirects', () => {
  test('lead to other hosts without our credentials', async () => {
    const storage = await fakeRegistry()
    const { session, registry, dir } = await registryScene(
      {
        before(request, response) {
          if (!request.url?.includes('/blobs/sha256')) return false
          if (!request.headers.authorization) {
            response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
            return true
          }
          response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end()
          return true
        },
      },
      { login: LOGIN },
    )
    const { bytes, blob } = await blobFile(dir, 5000)
    storage.blobs.set(blob.digest, bytes)
    await downloadBlob(session, blob, `${dir}/got`, () => undefined, signal)
    expect(registry.seen.some(({ authorization }) => authorization)).toBe(true)
    expect(storage.seen.map(({ authorization }) => authorization)).toEqual([undefined])
  })
  test('end when they go in a circle, and stop before a host without TLS', async () => {
    for (const [location, words] of [
      ['/v2/me/web/blobs/x', 'circle'],
      ['http://storage.example.com/x', 'without TLS'],
    ] as const) {
      const { session } = await registryScene({
        before(request, response) {
          if (request.url === '/v2/') return false
          response.writeHead(302, { location }).end()
          return true
        },
      })
      await expect(hasBlob(session, DIGEST, signal)).rejects.toMatchObject({
        code: 'registry-failed',
        message: expect.stringContaining(words),
      })
    }
  })
})

describe('trouble', () => {
  const answering = (codes: number[]) => ({
    before(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) {
      const code = request.url === '/v2/' ? undefined : codes.shift()
      if (code === undefined) return false
      response.writeHead(code, code === 429 ? { 'retry-after': '0' } : {}).end('busy')
      return true
    },
  })
  test('passes by itself', async () => {
    const { session, registry } = await registryScene(answering([503, 429, 500]))
    expect(await hasBlob(session, DIGEST, signal)).toBe(false)
    expect(registry.seen).toHaveLength(1 + 4)
  })
  test('does not pass', async () => {
    const { session } = await registryScene(answering(Array(9).fill(502)))
    await expect(hasBlob(session, DIGEST, signal)).rejects.toMatchObject({
      code: 'registry-failed',
      detail: 'HTTP 502',
    })
  })
  test('is no trouble: refusals are told at once', async () => {
    const { session, registry } = await registryScene(answering([405, 405]))
    const failed = putManifest(session, 'v1', Buffer.from('{}'), MEDIA.manifest, signal)
    await expect(failed).rejects.toMatchObject({ code: 'registry-failed', detail: 'HTTP 405' })
    expect(registry.seen).toHaveLength(2)
  })
  test('nobody there, and no such name', async () => {
    const gone = await fakeRegistry({ before: (request) => Boolean(request.socket.destroy()) })
    const env = { HOME: '/nowhere' }
    const opening = (host: string) =>
      openSession(parseReference(`${host}/a`), 'pull', { env, retries }, signal)
    await expect(opening(gone.host)).rejects.toMatchObject({ code: 'registry-failed' })
    await expect(opening('127.0.0.1:1')).rejects.toMatchObject({
      code: 'registry-failed',
      message: 'The registry 127.0.0.1:1 could not be reached: nothing answers there.',
    })
    const session = await opening('registry.invalid')
    await expect(hasBlob(session, DIGEST, signal)).rejects.toMatchObject({
      message: expect.stringContaining('registry.invalid could not be reached'),
    })
  })
  test('an endless answer is not read', async () => {
    const { session } = await registryScene({
      before(request, response) {
        if (request.method !== 'GET' || request.url === '/v2/') return false
        response.writeHead(200)
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65536)));
          response.once('drain', more)
        }
        more()
        return true
      },
    })
    await expect(findManifest(session, 'v1', signal)).rejects.toMatchObject({
      message: expect.stringContaining('more than'),
    })
  })
})
