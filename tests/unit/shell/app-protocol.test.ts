import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Protocol } from 'electron'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SECURITY_HEADERS } from '../../../src-main/ipc/security-headers.ts'
import { answer, PAGE_URL, SCHEME, serveApp } from '../../../src-main/shell/app-protocol.ts'

let top = ''
let root = ''
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-scheme-'))
  root = join(top, 'renderer')
  await mkdir(join(root, 'assets'), { recursive: true })
  await writeFile(join(root, 'index.html'), '<title>Icebox</title>')
  await writeFile(join(root, 'assets', 'main-Ab3dEf9h.js'), 'export {}')
  await writeFile(join(top, 'secret.json'), '"secret"')
})
afterAll(() => rm(top, { recursive: true, force: true }))

const ask = (url: string, method = 'GET') => answer({ url, method }, root)

test('the page and its assets are served with every security header', async () => {
  const page = await ask(PAGE_URL)
  expect([page.status, await page.text()]).toEqual([200, '<title>Icebox</title>'])
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) expect(page.headers.get(name)).toBe(value)
  expect(page.headers.get('cache-control')).toBe('no-store')
  const script = await ask('icebox-app://bundle/assets/main-Ab3dEf9h.js')
  expect(script.headers.get('content-type')).toMatch(/^text\/javascript/)
  expect(script.headers.get('cache-control')).toContain('immutable')
  expect(await (await ask(PAGE_URL, 'HEAD')).text()).toBe('')
})

// Row 13.
test.each([
  'icebox-app://bundle/../secret.json',
  'icebox-app://bundle/%2e%2e/secret.json',
  'icebox-app://bundle/..%2fsecret.json',
  'icebox-app://bundle/..%5csecret.json',
  'icebox-app://bundle/assets/%2e%2e/%2e%2e/secret.json',
  'icebox-app://bundle//etc/passwd',
  'icebox-app://bundle/%00',
  'icebox-app://bundle/none.js',
  'icebox-app://other/index.html',
  'icebox-app://bundle:81/index.html',
  'icebox-app://user@bundle/index.html',
  'icebox-app://bundle.other/index.html',
])('nothing is found at %s', async (url) => {
  const found = await ask(url)
  expect([found.status, await found.text()]).toEqual([404, ''])
  expect(found.headers.get('content-security-policy')).toBeTruthy()
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
  expect((await ask(PAGE_URL, method)).status).toBe(405)
})

test('a file that can not be read ends in an answer, not in a page that waits', async () => {
  const warned: unknown[] = []
  let handler: Parameters<Protocol['handle']>[1] | undefined
  const protocol = {
    handle: (_scheme: string, given: typeof handler) => {
      handler = given
    },
  } as unknown as Protocol
  const broken = join(top, 'broken\0')
  serveApp(protocol, broken, (error) => void warned.push(error))
  const found = await handler?.(new Request('http://x.test/') as never)
  expect(found?.status).toBe(404)
  const request = { url: PAGE_URL, method: 'GET' } as Request
  expect((await handler?.(request))?.status).toBe(500)
  expect(warned).toHaveLength(1)
})

test('the scheme has the rights of a page and none to leave its policy', () => {
  expect(SCHEME).toEqual({
    scheme: 'icebox-app',
    privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
  })
})

// Row 4.
test('the policy in the page and the one in the header are the same', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../src-renderer/index.html'), 'utf8')
  const meta = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1]
  // A page can not say of itself who may frame it.
  expect(`${meta}; frame-ancestors 'none'`).toBe(SECURITY_HEADERS['Content-Security-Policy'])
  expect(meta).toMatch(/^default-src 'none'; script-src 'self';/)
  expect(meta).not.toMatch(/unsafe|https?:|\*|blob:/)
})
