import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StatePatch, Task } from '../../src-preload/contract/entities.ts'
import { ask, openSocket, startTestServer, type TestServer, type TestSocket } from '../support/serve.ts'

// The whole way through the server with real services on a bottle of this machine: what it allows and what not.

const PORT_FORM = /^\/(download|upload)\/[\w-]{43}$/
let server: TestServer
let cookie = ''
let page: TestSocket
let snapshot = ''

const context = {
  signal: new AbortController().signal,
  progress: () => {},
  notice: () => {},
  confirm: () => Promise.resolve(true),
}

beforeAll(async () => {
  server = await startTestServer({ env: { ...process.env, DOCKER_HOST: 'unix:///nonexistent/docker.sock' } })
  cookie = await server.login()
  page = await openSocket(server.port, { origin: server.origin, cookie })
  await call('state:snapshot', {})
  for (const [folder, name, text] of [
    ['agents', 'sh', 'bottle: box\nprovider: custom\ncommand:\n  headless: [sh, -c, "{prompt}"]'],
    ['bottles', 'box', 'backend: host'],
  ] as const) {
    await mkdir(join(server.home, folder), { recursive: true })
    await writeFile(join(server.home, folder, `${name}.md`), `---\n${text}\n---\n`)
  }
  const { bottles } = server.icebox
  const prompt = 'echo kept > work.txt'
  await bottles.start({ agent: 'sh', mode: 'headless', prompt, label: 'web', cwd: server.home }, context)
  snapshot = (await bottles.freeze({ slug: 'web' }, context)).snapshot.id
}, 60_000)
afterAll(async () => {
  page.socket.close()
  for (const { slug } of await server.icebox.bottles.list(context.signal)) {
    await server.icebox.bottles.destroy({ slug, purge: true }, context)
  }
  await server.close()
})

async function call<T>(name: string, args: unknown): Promise<T> {
  const result = await page.call(name, args)
  if (!result.ok) throw new Error(`${name}: ${result.error.code} ${result.error.message}`)
  return result.value as T
}

/** The last that patches told of a task, once it has ended. */
async function ended(taskId: string): Promise<Task> {
  const last = () =>
    page.messages
      .flatMap((message) => (message.type === 'event' ? (message.payload as StatePatch).changes : []))
      .findLast((change) => change.entity === 'task' && change.key === taskId)?.value as Task | undefined
  await expect.poll(() => last()?.state ?? 'running', { timeout: 30_000 }).not.toBe('running')
  const task = last()
  if (!task) throw new Error('no such task')
  return task
}

async function exported(): Promise<{
  readonly taskId: string
  readonly url: string
  readonly bytes: number
}> {
  const { taskId } = await call<{ taskId: string }>('artifact:export', { slug: 'web', snapshot })
  expect(await ended(taskId)).toMatchObject({ state: 'done', slug: 'web' })
  return { taskId, ...(await call<{ url: string; bytes: number }>('artifact:download', { taskId })) }
}

const cached = async () => {
  const top = join(server.home, 'icebox', 'exports')
  const owners = await readdir(top).catch(() => [])
  return (await Promise.all(owners.map((owner) => readdir(join(top, owner))))).flat()
}

/** Raw bytes, as they are. */
async function download(url: string): Promise<Buffer> {
  const answer = await fetch(`${server.origin}${url}`, { headers: { cookie } })
  expect(answer.status).toBe(200)
  return Buffer.from(await answer.arrayBuffer())
}

describe('a download', () => {
  test('gives the file once, under a safe name, and leaves nothing', async () => {
    const { taskId, url, bytes } = await exported()
    expect(url).toMatch(PORT_FORM)
    const answer = await ask(server.port, url, { headers: { cookie } })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-length': String(bytes),
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-disposition': expect.stringContaining(`filename="web-${snapshot}.bottle"`),
    })
    expect((await ask(server.port, url, { headers: { cookie } })).status).toBe(404)
    expect(await page.call('artifact:download', { taskId })).toMatchObject({
      ok: false,
      error: { code: 'not-found' },
    })
    await expect.poll(cached).toEqual([])
  })

  test('is refused without a session, to other pages and other methods, and is then still there', async () => {
    const { url } = await exported()
    const status = async (question: Parameters<typeof ask>[2]) =>
      (await ask(server.port, url, question)).status
    expect(await status({})).toBe(403)
    expect(await status({ headers: { cookie: 'icebox-x=1' } })).toBe(403)
    expect(await status({ headers: { cookie, origin: 'http://evil.example' } })).toBe(403)
    expect(await status({ headers: { cookie, host: 'evil.example' } })).toBe(403)
    expect(await status({ headers: { cookie, 'sec-fetch-site': 'cross-site' } })).toBe(403)
    expect(await status({ headers: { cookie, 'sec-fetch-site': 'same-site' } })).toBe(403)
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE']) {
      expect(await status({ method, headers: { cookie, origin: server.origin } }), method).toBe(405)
    }
    expect(await status({ headers: { cookie } })).toBe(200)
  })

  test.each([
    '/download/',
    '/download/x',
    `/download/${'A'.repeat(43)}`,
    `/download/${'A'.repeat(43)}/..`,
    '/download/../icebox/root.json',
    '/download/..%2f..%2ficebox%2froot.json',
    '/download/%2e%2e/root.json',
  ])('%s leads nowhere', async (path) => {
    const answer = await ask(server.port, path, { headers: { cookie } })
    expect(answer.status).toBe(404)
    expect(answer.body).not.toContain(server.icebox.root.id)
  })

  test('of an unknown task, or one that is no export, is refused', async () => {
    expect(await page.call('artifact:download', { taskId: 'none' })).toMatchObject({ ok: false })
    expect(await page.call('artifact:download', { taskId: '../../root.json' })).toMatchObject({ ok: false })
  })
})

describe('an upload', () => {
  const expecting = (bytes: number) =>
    call<{ taskId: string; url: string }>('artifact:import', { fileName: 'web.bottle', bytes })
  const put = (url: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${server.origin}${url}`, {
      method: 'PUT',
      body: Buffer.from(body),
      headers: { cookie, origin: server.origin, ...headers },
    })

  test('becomes a frozen bottle that resumes with its work', async () => {
    const bytes = await download((await exported()).url)
    const { taskId, url } = await expecting(bytes.byteLength)
    expect(url).toMatch(PORT_FORM)
    expect((await put(url, bytes)).status).toBe(204)
    const task = await ended(taskId)
    expect(task).toMatchObject({ state: 'done', kind: 'import' })
    const slug = task.slug ?? ''
    expect(slug).toMatch(/^web-/)
    await server.icebox.bottles.resume({ slug, mode: 'headless', prompt: 'cat work.txt > seen.txt' }, context)
    const seen = join(server.home, 'state', slug, 'live', 'workspace', 'seen.txt')
    expect(await readFile(seen, 'utf8')).toBe('kept\n')
    expect((await put(url, bytes)).status).toBe(404)
  })

  test('that is no artifact is refused with the reason, and nothing stays', async () => {
    const before = await server.icebox.bottles.list(context.signal)
    const bytes = Buffer.alloc(100_000, 'x')
    const { taskId, url } = await expecting(bytes.byteLength)
    expect((await put(url, bytes)).status).toBe(409)
    expect(await ended(taskId)).toMatchObject({ state: 'failed', error: { code: 'artifact-invalid' } })
    expect(await server.icebox.bottles.list(context.signal)).toHaveLength(before.length)
  })

  test('of another length than was announced is refused', async () => {
    const { taskId, url } = await expecting(10)
    expect((await put(url, Buffer.alloc(11))).status).toBe(400)
    expect(await ended(taskId)).toMatchObject({ state: 'failed', error: { code: 'artifact-invalid' } })
  })

  test('is refused from other pages, without origin or session, and with other methods', async () => {
    const { taskId, url } = await expecting(3)
    const status = async (question: Parameters<typeof ask>[2]) =>
      (await ask(server.port, url, { body: 'abc', ...question })).status
    const good = { cookie, origin: server.origin }
    expect(await status({ method: 'PUT', headers: { cookie } })).toBe(403)
    expect(await status({ method: 'PUT', headers: { origin: server.origin } })).toBe(403)
    expect(await status({ method: 'PUT', headers: { ...good, origin: 'http://evil.example' } })).toBe(403)
    expect(await status({ method: 'PUT', headers: { ...good, 'sec-fetch-site': 'cross-site' } })).toBe(403)
    expect(await status({ method: 'POST', headers: good })).toBe(405)
    expect((await ask(server.port, url, { headers: good })).status).toBe(405)
    expect(await call('task:cancel', { taskId })).toEqual({ cancelled: true })
    expect(await ended(taskId)).toMatchObject({ state: 'cancelled' })
    expect(await status({ method: 'PUT', headers: good })).toBe(404)
  })
})

test('a verification, a difference and the space are told over the contract', async () => {
  const { taskId } = await call<{ taskId: string }>('snapshot:verify', { slug: 'web', snapshot })
  expect(await ended(taskId)).toMatchObject({ kind: 'verify', state: 'done' })
  expect(
    await call('snapshot:diff', { from: { slug: 'web', snapshot }, to: { slug: 'web', snapshot: null } }),
  ).toMatchObject({ totals: { added: 0, changed: 0, removed: 0 } })
  expect(await call('space:usage', {})).toMatchObject({
    snapshots: expect.arrayContaining([expect.objectContaining({ slug: 'web', id: snapshot })]),
  })
  expect(await call('space:prune', { dryRun: true })).toMatchObject({ dryRun: true, snapshots: [] })
})
