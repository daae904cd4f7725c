import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { PreparedArtifact } from '../../src-preload/contract/artifacts.ts'
import type { Task } from '../../src-preload/contract/entities.ts'
import { ask, openSocket, startTestServer, type TestServer, type TestSocket } from '../support/serve.ts'

// Files that are made ready to be dragged, through the server with real services on a bottle of this machine.

const WITHIN = { timeout: 30_000, interval: 20 }
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
  const prompt = 'echo kept > work.txt'
  const { bottles } = server.icebox
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
const prepare = (more: object = {}) =>
  call<PreparedArtifact>('artifact:prepare', { slug: 'web', snapshot, ...more })
const ready = (more: object = {}) =>
  vi.waitFor(async () => {
    const answer = await prepare(more)
    if (answer.state !== 'ready') throw new Error('not yet')
    return answer
  }, WITHIN)
const endOf = (taskId: string) =>
  vi.waitFor(async () => {
    const { tasks } = await call<{ tasks: Task[] }>('state:snapshot', {})
    const task = tasks.find(({ id }) => id === taskId)
    if (!task || task.state === 'running') throw new Error('it runs')
    return task
  }, WITHIN)
const link = (token: string) => call<{ url: string; fileName: string }>('artifact:drag-link', { token })
const get = (url: string) => ask(server.port, url, { headers: { cookie } })
const top = () => join(server.home, 'icebox', 'drag')

test('whoever asks meanwhile gets the same task, and afterwards the same file', async () => {
  const answers = await Promise.all([prepare(), prepare(), prepare()])
  const tasks = new Set(answers.map((answer) => (answer.state === 'preparing' ? answer.taskId : 'ready')))
  expect(tasks.size).toBe(1)
  const first = await ready()
  expect(await prepare()).toEqual(first)
  expect(first.fileName).toBe(`web-${snapshot}.bottle`)
  expect(JSON.stringify(first)).not.toContain(server.home)
  const [folder = ''] = (await readdir(top())).filter((name) => !name.endsWith('.json'))
  expect(await readdir(join(top(), folder))).toEqual([`web-${snapshot}.bottle`])
  expect((await stat(join(top(), folder))).mode & 0o777).toBe(0o700)
})

describe('an address', () => {
  test('gives what an export gives, once, and the file stays', async () => {
    const { token, bytes } = await ready()
    const { url, fileName } = await link(token)
    expect(url).toMatch(/^\/download\/[\w-]{43}$/)
    const answer = await fetch(`${server.origin}${url}`, { headers: { cookie } })
    const body = Buffer.from(await answer.arrayBuffer())
    expect(body).toHaveLength(bytes)
    expect(answer.headers.get('content-disposition')).toContain(fileName)
    const exported = join(server.home, 'exported.bottle')
    const request = { slug: 'web', snapshot, compression: 'gzip', thin: false } as const
    await server.icebox.artifacts.export(request, { file: exported }, context)
    const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex')
    expect(digest(body)).toBe(digest(await readFile(exported)))
    expect((await get(url)).status).toBe(404)
    expect((await prepare()).state).toBe('ready')
  })

  test('is of no use without a session, or to another page', async () => {
    const { url } = await link((await ready()).token)
    expect((await ask(server.port, url, {})).status).toBe(403)
    expect((await ask(server.port, url, { headers: { cookie, origin: 'http://evil.example' } })).status).toBe(
      403,
    )
    expect((await get(url)).status).toBe(200)
  })

  test.each(['x'.repeat(43), '../root.json', ''])('for the token %j there is none', async (token) => {
    expect(await page.call('artifact:drag-link', { token })).toMatchObject({ error: { code: 'not-found' } })
  })
})

test('a snapshot that is not there is told as that', async () => {
  const gone = { slug: 'web', snapshot: '20200101T000000Z-zzzz' }
  expect(await page.call('artifact:prepare', gone)).toMatchObject({ error: { code: 'snapshot-missing' } })
  expect(await page.call('artifact:prepare', { ...gone, slug: '../x' })).toMatchObject({ ok: false })
})

test('secrets stop it until somebody chose, and a file that keeps them goes only to who asks for it', async () => {
  const secret = `ghp_${createHash('sha1').update(server.home).digest('hex').slice(0, 36)}`
  const { bottles } = server.icebox
  const prompt = `echo token=${secret} > notes.txt`
  await bottles.start({ agent: 'sh', mode: 'headless', prompt, label: 'leaky', cwd: server.home }, context)
  const target = { slug: 'leaky', snapshot: (await bottles.freeze({ slug: 'leaky' }, context)).snapshot.id }
  const first = await prepare(target)
  expect(first.state === 'preparing' && (await endOf(first.taskId))).toMatchObject({
    state: 'failed',
    error: { code: 'secrets-found' },
  })
  const kept = await ready({ ...target, scrub: 'keep' })
  const again = await prepare(target)
  expect(again.state === 'preparing' && (await endOf(again.taskId)).error?.code).toBe('secrets-found')
  const stripped = await ready({ ...target, scrub: 'strip' })
  expect(stripped.token).not.toBe(kept.token)
  expect(await prepare(target)).toEqual(stripped)
})

test('one that fails leaves nothing, tells why, and can be asked for again', async () => {
  await ready()
  const before = (await readdir(top())).length
  await call('snapshot:edit', { slug: 'web', snapshot, note: 'another file now' })
  const trees = join(server.home, 'state', 'web', 'snapshots', `${snapshot}.d`)
  await rename(trees, `${trees}-away`)
  const answer = await prepare()
  expect(answer.state === 'preparing' && (await endOf(answer.taskId)).state).toBe('failed')
  expect((await readdir(top())).length).toBe(before - 2)
  const owners = await readdir(join(server.home, 'icebox', 'exports'))
  const held = await Promise.all(
    owners.map((owner) => readdir(join(server.home, 'icebox', 'exports', owner))),
  )
  expect(held.flat()).toEqual([])
  await rename(`${trees}-away`, trees)
  expect((await ready()).fileName).toContain(snapshot)
})
