import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDownloads, disposition } from '../../../../src-main/ipc/transfers/downloads.ts'
import { openExportCache } from '../../../../src-main/ipc/transfers/export-cache.ts'
import { createTickets } from '../../../../src-main/ipc/transfers/tickets.ts'
import { createUploads, type Received, type Uploads } from '../../../../src-main/ipc/transfers/uploads.ts'
import { openStateRoot, type StateRoot } from '../../../../src-main/state/root.ts'

let dir: string
let root: StateRoot
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-transfers-'))
  root = await openStateRoot(dir)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('a ticket', () => {
  test('works once, and not after it was revoked', () => {
    const tickets = createTickets<string>(60_000)
    const key = tickets.issue('a')
    expect(key).toHaveLength(43)
    expect(tickets.take(`${key.slice(0, -1)}_`)).toBeUndefined()
    expect(tickets.take(key)).toBe('a')
    expect(tickets.take(key)).toBeUndefined()
    const other = tickets.issue('b')
    tickets.revoke('b')
    expect(tickets.take(other)).toBeUndefined()
    tickets.close()
  })

  test('lapses', async () => {
    const tickets = createTickets<string>(5)
    const lapsed = Promise.withResolvers<void>()
    const key = tickets.issue('a', lapsed.resolve)
    await lapsed.promise
    expect(tickets.take(key)).toBeUndefined()
  })
})

describe('the export cache', () => {
  test('sweeps what the dead left and keeps what the living have', async () => {
    const top = root.path('icebox', 'exports')
    const first = await openExportCache(root)
    const mine = await first.newFile()
    await writeFile(mine, 'mine')
    await writeFile(join(top, 'stray'), 'x')
    const dead = join(top, '999999999~1~00000000-0000-0000-0000-000000000000')
    await writeFile(dead, 'x')
    await openExportCache(root)
    expect(await readdir(top)).toHaveLength(1)
    expect((await stat(mine)).size).toBe(4)
    expect((await stat(dirname(mine))).mode & 0o777).toBe(0o700)
    await first.close()
    expect(await readdir(top)).toEqual([])
  })
})

describe('downloads', () => {
  test('offer a new address each time, and only the last one works', async () => {
    const cache = await openExportCache(root)
    const downloads = createDownloads(cache, () => {})
    const file = await cache.newFile()
    await writeFile(file, 'bytes')
    downloads.add('t1', { file, fileName: 'web.bottle', bytes: 5 })
    const first = downloads.offer('t1').url
    const second = downloads.offer('t1').url
    expect(second).not.toBe(first)
    const answer = await serve(async (_request, response) => {
      if (!(await downloads.send(first.split('/')[2] ?? '', response)))
        response.setHeader('x-first', 'refused')
      if (!(await downloads.send(second.split('/')[2] ?? '', response))) response.end('refused')
    })
    expect(answer).toMatchObject({ status: 200, body: 'bytes' })
    expect(answer.headers['x-first']).toBe('refused')
    expect(answer.headers['content-disposition']).toContain('filename="web.bottle"')
    await expect.poll(() => stat(file).catch(() => null)).toBeNull()
    expect(() => downloads.offer('t1')).toThrow(/not there any more/)
    downloads.close()
  })

  test('keep a bounded number of files', async () => {
    const cache = await openExportCache(root)
    const downloads = createDownloads(cache, () => {})
    const files: string[] = []
    for (let index = 0; index < 7; index++) {
      const file = await cache.newFile()
      await writeFile(file, 'x')
      files.push(file)
      downloads.add(`t${index}`, { file, fileName: 'x', bytes: 1 })
    }
    await expect.poll(() => stat(files[0] ?? '').catch(() => null)).toBeNull()
    expect(() => downloads.offer('t0')).toThrow()
    expect(downloads.offer('t6').bytes).toBe(1)
    downloads.close()
  })

  test.each([
    ['web-1.bottle', 'web-1.bottle'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a"\r\nSet-Cookie: x', 'a___Set-Cookie__x'],
    ['...', 'snapshot.bottle'],
  ])('call %j %s', (name, safe) => expect(disposition(name)).toContain(`filename="${safe}"`))
})

describe('an upload', () => {
  let uploads: Uploads
  beforeEach(() => {
    uploads = createUploads({ startMs: 5000, idleMs: 5000 })
  })
  const key = (url: string) => url.split('/')[2] ?? ''
  const take =
    (url: string, seen: { received?: Received } = {}) =>
    async (incoming: IncomingMessage, response: import('node:http').ServerResponse) => {
      seen.received = await uploads.receive(key(url), incoming)
      response.setHeader('Connection', 'close')
      response.end(seen.received)
    }
  const never = new AbortController().signal

  test('gives its bytes to the reader as they come', async () => {
    const upload = uploads.expect(6)
    const read = (async () => {
      const chunks: Uint8Array[] = []
      for await (const chunk of await upload.content(never)) chunks.push(chunk)
      upload.settle(true)
      return Buffer.concat(chunks).toString()
    })()
    expect(await serve(take(upload.url), 'abcdef')).toMatchObject({ body: 'kept' })
    expect(await read).toBe('abcdef')
  })

  test('takes its address once', async () => {
    const upload = uploads.expect(1)
    upload.settle(false)
    expect(await serve(take(upload.url), 'a')).toMatchObject({ body: 'unknown' })
  })

  test('of another length is refused', async () => {
    const upload = uploads.expect(5)
    const content = upload.content(never)
    content.catch(() => undefined)
    expect(await serve(take(upload.url), 'abcdef')).toMatchObject({ body: 'wrong-length' })
    await expect(content).rejects.toMatchObject({ code: 'artifact-invalid' })
  })

  test('that the reader gives up is refused without being read to its end', async () => {
    const bytes = 64 * 1024 * 1024
    const upload = uploads.expect(bytes)
    void (async () => {
      for await (const _chunk of await upload.content(never)) break
      upload.settle(false)
    })()
    const server = await listen(take(upload.url))
    const sent = { bytes: 0 }
    const status = await new Promise((resolve) => {
      const out = request({ port: portOf(server), method: 'PUT', headers: { 'content-length': bytes } })
      out.on('response', (response) => {
        resolve(response.statusCode)
        out.destroy()
      })
      out.on('error', resolve)
      const chunk = Buffer.alloc(1 << 20)
      const write = (): void => {
        sent.bytes += chunk.length
        if (sent.bytes < bytes && out.write(chunk)) setImmediate(write)
      }
      out.on('drain', write)
      write()
    })
    expect(status).toBe(200)
    expect(sent.bytes).toBeLessThan(bytes / 2)
    server.closeAllConnections()
    server.close()
  })

  test('that breaks off ends the reader with "cancelled"', async () => {
    const upload = uploads.expect(100)
    const read = (async () => {
      for await (const _chunk of await upload.content(never));
    })()
    read.catch(() => undefined)
    const server = await listen(take(upload.url))
    const out = request({ port: portOf(server), method: 'PUT', headers: { 'content-length': 100 } })
    out.on('error', () => {})
    out.write('abc', () => setTimeout(() => out.destroy(), 20))
    await expect(read).rejects.toMatchObject({ code: 'cancelled' })
    upload.settle(false)
    server.closeAllConnections()
    server.close()
  })

  test('that never starts, or stalls, is given up', async () => {
    uploads = createUploads({ startMs: 5, idleMs: 5 })
    await expect(uploads.expect(1).content(never)).rejects.toMatchObject({ code: 'timeout' })
    uploads = createUploads({ startMs: 5000, idleMs: 20 })
    const upload = uploads.expect(100)
    const read = (async () => {
      for await (const _chunk of await upload.content(never));
    })()
    read.catch(() => undefined)
    const server = await listen(take(upload.url))
    const out = request({ port: portOf(server), method: 'PUT', headers: { 'content-length': 100 } })
    out.on('error', () => {})
    out.write('abc')
    await expect(read).rejects.toMatchObject({ code: 'timeout' })
    upload.settle(false)
    out.destroy()
    server.closeAllConnections()
    server.close()
  })

  test('is left when the task is cancelled before the page sends anything', async () => {
    const stop = new AbortController()
    const content = uploads.expect(1).content(stop.signal)
    stop.abort()
    await expect(content).rejects.toMatchObject({ name: 'AbortError' })
  })
})

type Answering = (request: IncomingMessage, response: import('node:http').ServerResponse) => Promise<void>

async function listen(answer: Answering): Promise<Server> {
  const server = createServer((incoming, response) => void answer(incoming, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function serve(answer: Answering, body?: string) {
  const server = await listen(answer)
  const found = await fetch(
    `http://127.0.0.1:${portOf(server)}/`,
    body === undefined ? {} : { method: 'PUT', body },
  )
  const text = await found.text()
  server.close()
  return { status: found.status, headers: Object.fromEntries(found.headers), body: text }
}
