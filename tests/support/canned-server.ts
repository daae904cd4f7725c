import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { type WebSocket, WebSocketServer } from 'ws'
import type { StatePatch, StateSnapshot, Task } from '../../src-preload/contract/entities.ts'
import { type Failure, failure } from '../../src-preload/contract/errors.ts'
import type { ClientMessage, ServerMessage } from '../../src-preload/contract/wire.ts'
import { ACTIVITY, HOOKS, NO_HOOKS, statusOf, tried } from './canned/agents.ts'
import { FILE_DIFF, FINDINGS, PREVIEW, SNAPSHOT_DIFF, usageOf } from './canned/artifacts.ts'
import { detailOf, type Scene, scene } from './canned/data.ts'
import { DEFINITIONS, elsewherePlan, PLAN } from './canned/definitions.ts'

type Change = StatePatch['changes'][number]

/** A server that answers the contract with canned data, and lets a test push, drop and fail things. */
export interface CannedServer {
  readonly url: string
  readonly calls: { readonly call: string; readonly args: unknown }[]
  /** Files that were brought. */
  readonly uploads: { readonly method: string; readonly bytes: number }[]
  state(): StateSnapshot
  /** Applies changes and sends them as the next patch; `isLost` skips the sending, which makes a gap. */
  push(changes: readonly Change[], options?: { readonly isLost?: boolean }): void
  /** Every following use of that call fails. Null heals it. */
  fail(call: string, error: Failure | null): void
  /** Breaks all connections and refuses new ones until `restore`. */
  drop(): void
  restore(): void
  /** True while some page has a stream of that name. */
  isOpen(name: string): boolean
  /** Sends bytes to every open stream of that name. */
  stream(name: string, data: Uint8Array | string): void
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

/** Serves a built renderer from `root` with one of the canned scenes, on a free port of 127.0.0.1. */
export async function startCannedServer(options: {
  readonly root: string
  readonly scene: Scene
  readonly port?: number
}): Promise<CannedServer> {
  let state = scene(options.scene)
  let isRefusing = false
  let taskCount = 0
  const failures = new Map<string, Failure>()
  const sockets = new Map<WebSocket, Map<number, string>>()
  const calls: { call: string; args: unknown }[] = []
  const prepared = new Set<string>()
  const uploads: { method: string; bytes: number }[] = []

  const http = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    if (path.startsWith('/download/')) {
      response.writeHead(200, { 'content-disposition': 'attachment; filename="canned.bottle"' })
      return void response.end('canned')
    }
    if (path.startsWith('/upload/')) {
      let bytes = 0
      for await (const chunk of request) bytes += (chunk as Buffer).byteLength
      uploads.push({ method: request.method ?? '', bytes })
      return void response.writeHead(204).end()
    }
    const file = join(options.root, path === '/' ? 'index.html' : path)
    try {
      const body = await readFile(file)
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
      })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  const web = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    if (isRefusing) socket.destroy()
    else web.handleUpgrade(request, socket, head, (client) => web.emit('connection', client))
  })

  const send = (client: WebSocket, message: ServerMessage) => client.send(JSON.stringify(message))

  const push: CannedServer['push'] = (changes, { isLost = false } = {}) => {
    state = applied({ ...state, revision: state.revision + 1 }, changes)
    if (isLost) return
    for (const client of sockets.keys()) {
      send(client, { type: 'event', event: 'state:patch', payload: { revision: state.revision, changes } })
    }
  }

  const startTask = (kind: Task['kind'], slug: string | null): Task => {
    const task: Task = {
      id: `task-${++taskCount}`,
      kind,
      slug,
      state: 'running',
      progress: null,
      question: null,
      startedAt: new Date().toISOString(),
      endedAt: null,
      error: null,
      message: null,
    }
    push([{ entity: 'task', key: task.id, value: task }])
    return task
  }

  const answer = (call: string, args: Record<string, unknown>): unknown => {
    const slug = typeof args.slug === 'string' ? args.slug : null
    const row = state.bottles.find((item) => item.slug === slug)
    switch (call) {
      case 'state:snapshot':
        return state
      case 'bottle:detail':
        return row ? detailOf(row) : undefined
      case 'agent:status':
        return row ? statusOf(row) : undefined
      case 'agent:hooks':
        return row?.health ? HOOKS : NO_HOOKS
      case 'agent:try-hook':
        return tried(String(args.point))
      case 'activity:list':
        return state.bottles.length === 0 ? [] : ACTIVITY.filter((entry) => !slug || entry.slug === slug)
      case 'agent:list':
        return DEFINITIONS
      case 'agent:sample':
        return { agent: 'sample' }
      case 'bottle:plan-resume':
        return elsewherePlan(slug ?? '', String(args.backend ?? ''))
      case 'bottle:plan':
        return PLAN
      case 'engine:probe':
        return state.engines
      case 'settings:get':
      case 'settings:set':
        return {
          theme: 'system',
          trashDays: 7,
          retentionLast: 20,
          retentionHourly: 24,
          retentionDaily: 14,
          retentionWeekly: 26,
          minFreeMB: 500,
          autoThin: false,
        }
      case 'snapshot:diff':
        return SNAPSHOT_DIFF
      case 'snapshot:diff-file':
        return FILE_DIFF
      case 'artifact:search-secrets':
        return FINDINGS
      case 'artifact:download':
        return { url: '/download/canned', fileName: 'canned.bottle', bytes: 6 }
      case 'artifact:prepare': {
        const name = `${slug}-${String(args.snapshot)}`
        if (prepared.has(name)) return { state: 'ready', token: name, fileName: `${name}.bottle`, bytes: 6 }
        prepared.add(name)
        return { state: 'preparing', taskId: startTask('prepare', slug).id }
      }
      case 'artifact:drag-link':
        return { url: '/download/canned', fileName: `${String(args.token)}.bottle`, bytes: 6 }
      case 'artifact:import':
        return { taskId: startTask('import', null).id, url: '/upload/canned' }
      case 'snapshot:verify':
      case 'artifact:export':
      case 'artifact:push':
      case 'artifact:pull':
        return { taskId: startTask(call.split(':')[1] as Task['kind'], slug).id, slug }
      case 'snapshot:delete':
        return { taskId: startTask('delete-snapshot', slug).id, slug }
      case 'space:usage':
        return usageOf(state)
      case 'space:prune':
        return { ...PREVIEW, dryRun: args.dryRun === true }
      case 'trash:undo': {
        const entry = state.trash.find((item) => item.id === args.id)
        if (!entry) return undefined
        const back = scene('three').bottles.find((item) => item.slug === entry.slug)
        push([
          { entity: 'trash', key: entry.id, value: null },
          ...(back ? [{ entity: 'bottle' as const, key: back.slug, value: back }] : []),
        ])
        return { slug: entry.slug }
      }
      case 'bottle:destroy': {
        const task = startTask('destroy', slug)
        const now = new Date().toISOString()
        if (row) {
          push([
            { entity: 'bottle', key: row.slug, value: null },
            {
              entity: 'trash',
              key: `${row.slug}-x`,
              value: {
                id: `${row.slug}-x`,
                slug: row.slug,
                destroyedAt: now,
                purgeAfter: now,
                snapshots: row.snapshots,
                bytes: row.bytes ?? 0,
              },
            },
            {
              entity: 'task',
              key: task.id,
              value: {
                ...task,
                state: 'done',
                endedAt: now,
                message: `Destroyed ${row.slug}. It stays in the trash.`,
              },
            },
          ])
        }
        return { taskId: task.id, slug }
      }
      default:
        if (!call.startsWith('bottle:')) return {}
        return { taskId: startTask(call.slice('bottle:'.length) as Task['kind'], slug).id, slug }
    }
  }

  const receive = (client: WebSocket, message: ClientMessage) => {
    const streams = sockets.get(client)
    if (message.type === 'open') streams?.set(message.stream, message.name)
    if (message.type === 'close') streams?.delete(message.stream)
    if (message.type === 'input') client.send(frame(message.stream, message.data))
    if (message.type !== 'call') return
    calls.push({ call: message.call, args: message.args })
    const broken = failures.get(message.call)
    const value = broken ? undefined : answer(message.call, (message.args ?? {}) as Record<string, unknown>)
    send(client, {
      type: 'result',
      id: message.id,
      result:
        value === undefined ? { ok: false, error: broken ?? failure('not-found') } : { ok: true, value },
    })
  }

  web.on('connection', (client: WebSocket) => {
    sockets.set(client, new Map())
    client.on('close', () => sockets.delete(client))
    client.on('message', (data) => receive(client, JSON.parse(String(data)) as ClientMessage))
  })
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    calls,
    uploads,
    state: () => state,
    push,
    fail: (call, error) => void (error ? failures.set(call, error) : failures.delete(call)),
    drop() {
      isRefusing = true
      for (const client of sockets.keys()) client.terminate()
    },
    restore() {
      isRefusing = false
    },
    isOpen: (name) => [...sockets.values()].some((streams) => [...streams.values()].includes(name)),
    stream(name, data) {
      for (const [client, streams] of sockets) {
        for (const [stream, open] of streams) if (open === name) client.send(frame(stream, data))
      }
    },
    async close() {
      for (const client of sockets.keys()) client.terminate()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function frame(stream: number, data: Uint8Array | string): Uint8Array {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  const whole = new Uint8Array(4 + bytes.length)
  new DataView(whole.buffer).setUint32(0, stream)
  whole.set(bytes, 4)
  return whole
}

function applied(state: StateSnapshot, changes: readonly Change[]): StateSnapshot {
  const put = <T>(list: readonly T[], key: string, value: T | null, keyOf: (item: T) => string): T[] => {
    const rest = list.filter((item) => keyOf(item) !== key)
    return value === null
      ? rest
      : list.some((item) => keyOf(item) === key)
        ? list.map((item) => (keyOf(item) === key ? value : item))
        : [...rest, value]
  }
  let next = state
  for (const change of changes) {
    switch (change.entity) {
      case 'bottle':
        next = { ...next, bottles: put(next.bottles, change.key, change.value, (item) => item.slug) }
        break
      case 'task':
        next = { ...next, tasks: put(next.tasks, change.key, change.value, (item) => item.id) }
        break
      case 'engine':
        next = { ...next, engines: put(next.engines, change.key, change.value, (item) => item.name) }
        break
      case 'trash':
        next = { ...next, trash: put(next.trash, change.key, change.value, (item) => item.id) }
        break
      case 'disk':
        next = { ...next, disk: change.value }
        break
    }
  }
  return next
}
