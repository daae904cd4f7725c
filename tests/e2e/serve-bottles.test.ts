import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type {
  Bottle,
  StatePatch,
  StateSnapshot,
  Task,
  TrashEntry,
} from '../../src-preload/contract/entities.ts'
import { STREAM_WINDOW } from '../../src-preload/contract/streams.ts'
import { openSocket, startTestServer, type TestServer, type TestSocket } from '../support/serve.ts'

let server: TestServer
let page: TestSocket
const rows = new Map<string, Bottle>()
const tasks = new Map<string, Task>()
const trash = new Map<string, TrashEntry>()
let revision = 0
const gaps: string[] = []

beforeAll(async () => {
  server = await startTestServer()
  await writeBottle('plain', '')
  page = await openSocket(server.port, { cookie: await server.login(), origin: server.origin })
  page.socket.on('message', (data, isBinary) => {
    const message = isBinary ? undefined : (JSON.parse(String(data)) as { type: string; payload: StatePatch })
    if (message?.type === 'event') apply(message.payload)
  })
  const snapshot = await value<StateSnapshot>('state:snapshot', {})
  revision = snapshot.revision
})
afterAll(async () => {
  for (const slug of rows.keys()) await page.call('bottle:destroy', { slug, purge: true })
  await vi.waitFor(() => expect(rows.size).toBe(0), 30_000)
  await server.close()
})

function apply(patch: StatePatch): void {
  if (patch.revision > revision && patch.revision !== revision + 1)
    gaps.push(`${revision} → ${patch.revision}`)
  revision = Math.max(revision, patch.revision)
  const tables: Record<string, Map<string, unknown>> = { bottle: rows, task: tasks, trash }
  for (const { entity, key, value } of patch.changes) {
    if (value === null) tables[entity]?.delete(key)
    else tables[entity]?.set(key, value)
  }
}

async function value<T>(call: string, args: unknown): Promise<T> {
  const result = await page.call(call, args)
  if (!result.ok)
    throw new Error(`${call}: ${result.error.code} ${result.error.message} ${result.error.detail ?? ''}`)
  return result.value as T
}

/** Starts an operation and waits for the end of its task. */
async function done(call: string, args: unknown): Promise<Task> {
  const { taskId } = await value<{ taskId: string }>(call, args)
  await expect.poll(() => tasks.get(taskId)?.state, { timeout: 60_000 }).not.toMatch(/running|undefined/)
  const task = tasks.get(taskId)
  if (task?.state !== 'done') throw new Error(`${call}: ${JSON.stringify(task?.error)}`)
  return task
}

const state = (slug: string) => rows.get(slug)?.state

async function writeBottle(name: string, front: string): Promise<void> {
  await writeFile(join(server.home, 'bottles', `${name}.md`), `---\nbackend: host\n${front}---\n`)
}

async function writeAgent(name: string, script: string): Promise<void> {
  const command = JSON.stringify(['/bin/sh', '-c', script])
  const front = `bottle: plain\nprovider: custom\ncommand:\n  headless: ${command}\n  interactive: ${command}\n`
  await writeFile(join(server.home, 'agents', `${name}.md`), `---\n${front}---\nYou are a test.\n`)
}

test('start, freeze, destroy, undo and resume over the socket, and the marker is there', async () => {
  await writeAgent('keeper', 'echo run >> marker; wc -l < marker; sleep 600')
  const started = await done('bottle:start', { agent: 'keeper', prompt: 'go', backend: 'host' })
  const slug = started.slug ?? ''
  expect(started.message).toContain(`Started ${slug}.`)
  await expect.poll(() => state(slug), { timeout: 20_000 }).toBe('running')

  expect((await done('bottle:freeze', { slug, note: 'first' })).message).toContain(`Froze ${slug}`)
  await expect.poll(() => rows.get(slug)?.snapshots, { timeout: 10_000 }).toBe(1)
  const detail = await value<{ tree: { note: string }[] }>('bottle:detail', { slug })
  expect(detail.tree.map((snapshot) => snapshot.note)).toEqual(['first'])

  await done('bottle:destroy', { slug })
  await expect.poll(() => [rows.has(slug), trash.size], { timeout: 10_000 }).toEqual([false, 1])
  const [entry] = trash.values()
  expect(await value('trash:undo', { id: entry?.id })).toEqual({ slug })
  await expect.poll(() => [state(slug), trash.size], { timeout: 10_000 }).toEqual(['frozen', 0])

  await done('bottle:resume', { slug, prompt: 'again' })
  await expect.poll(() => state(slug), { timeout: 20_000 }).toBe('running')
  await expect.poll(() => logOf(slug), { timeout: 20_000 }).toBe('2\n')

  await done('bottle:stop', { slug })
  await expect.poll(() => state(slug), { timeout: 10_000 }).not.toBe('running')
  expect(gaps).toEqual([])
})

test('cancelling after the launch is no longer possible, and the agent goes on', async () => {
  const { taskId } = await value<{ taskId: string }>('bottle:start', {
    agent: 'keeper',
    prompt: 'go',
    backend: 'host',
  })
  await expect.poll(() => tasks.get(taskId)?.state, { timeout: 30_000 }).toBe('done')
  expect(await value('task:cancel', { taskId })).toEqual({ cancelled: false })
  await value('task:dismiss', { taskId })
  await expect.poll(() => tasks.has(taskId)).toBe(false)
})

test('a task that fails says why and leaves nothing', async () => {
  await expect(done('bottle:start', { agent: 'nobody', prompt: 'x', backend: 'host' })).rejects.toThrow(
    'not-found',
  )
})

test('a log of 5 MB stops at the window until the page has shown it, and arrives whole', async () => {
  await writeAgent('chatty', 'yes 0123456789 | head -c 5000000; sleep 600')
  const { slug } = await done('bottle:start', { agent: 'chatty', prompt: 'go', backend: 'host' })
  let shown = 0
  let unshown = 0
  let isShowing = false
  const stream = 70
  page.socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary || data.readUInt32BE(0) !== stream) return
    unshown += data.length - 4
    if (isShowing) show()
  })
  const show = () => {
    shown += unshown
    page.socket.send(JSON.stringify({ type: 'ack', stream, bytes: unshown }))
    unshown = 0
  }
  page.socket.send(JSON.stringify({ type: 'open', stream, name: 'logs', args: { slug } }))
  await expect.poll(() => unshown, { timeout: 20_000 }).toBe(STREAM_WINDOW)
  // Answers still pass while the stream is held back.
  await value('trash:list', {})
  expect(unshown).toBe(STREAM_WINDOW)
  isShowing = true
  show()
  await expect.poll(() => shown, { timeout: 30_000 }).toBe(5_000_000)
  page.socket.send(JSON.stringify({ type: 'close', stream }))
})

/** All that the log of the last run holds now. */
async function logOf(slug: string): Promise<string> {
  const own = await openSocket(server.port, { cookie: await server.login(), origin: server.origin })
  let text = ''
  own.socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) text += String(data.subarray(4))
  })
  own.socket.send(JSON.stringify({ type: 'open', stream: 1, name: 'logs', args: { slug } }))
  await expect
    .poll(() => text, { timeout: 5000 })
    .not.toBe('')
    .catch(() => {})
  own.socket.close()
  return text
}
