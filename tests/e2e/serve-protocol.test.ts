import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALLS } from '../../src-preload/contract/channels.ts'
import { openSocket, startTestServer, type TestServer, type TestSocket } from '../support/serve.ts'

let server: TestServer
let headers: { cookie: string; origin: string }
beforeAll(async () => {
  server = await startTestServer()
  headers = { cookie: await server.login(), origin: server.origin }
})
afterAll(() => server.close())
const open = (): Promise<TestSocket> => openSocket(server.port, headers)

describe('calls', () => {
  test('a snapshot, settings and a refused call over one socket', async () => {
    const page = await open()
    const snapshot = await page.call('state:snapshot', {})
    expect(snapshot).toMatchObject({
      ok: true,
      value: { bottles: [], home: server.home, platform: process.platform },
    })
    expect(await page.call('settings:set', { key: 'theme', value: 'dark' })).toMatchObject({
      ok: true,
      value: { theme: 'dark' },
    })
    expect(await page.call('settings:set', { key: '__proto__', value: {} })).toMatchObject({
      ok: false,
      error: { code: 'usage' },
    })
    expect(await page.call('bottle:explode', {})).toMatchObject({ ok: false, error: { code: 'denied' } })
    expect(await page.call('bottle:freeze', { slug: '../../etc' })).toMatchObject({
      ok: false,
      error: { code: 'invalid-slug' },
    })
    expect(await page.call('bottle:detail', { slug: 'nobody' })).toMatchObject({
      ok: false,
      error: { code: 'not-found' },
    })
    page.socket.close()
  })

  test('a failing operation is a task that ends as failed, in every page', async () => {
    const [one, two] = await Promise.all([open(), open()])
    await Promise.all([one.call('state:snapshot', {}), two.call('state:snapshot', {})])
    const started = await one.call('bottle:freeze', { slug: 'nobody' })
    expect(started).toMatchObject({ ok: true, value: { slug: 'nobody' } })
    const told = (page: TestSocket) => () => JSON.stringify(page.messages)
    for (const page of [one, two]) {
      await expect.poll(told(page), { timeout: 10_000 }).toContain('"state":"failed"')
      expect(told(page)()).toContain('"code":"not-found"')
      page.socket.close()
    }
  })

  test('a logs stream of an unknown bottle ends with its error', async () => {
    const page = await open()
    page.socket.send(JSON.stringify({ type: 'open', stream: 7, name: 'logs', args: { slug: 'nobody' } }))
    await expect
      .poll(() => JSON.stringify(page.messages), { timeout: 10_000 })
      .toContain('"type":"end","stream":7')
    page.socket.close()
  })
})

describe('broken frames', () => {
  test.each([
    ['no JSON', 'hello'],
    ['no message', '{"type":"reboot"}'],
    ['a call without a number', '{"type":"call","call":"state:snapshot","args":{}}'],
    ['a binary frame', Buffer.from([0, 0, 0, 1, 65])],
  ])('%s closes the connection with 1008', async (_what, frame) => {
    const page = await open()
    page.socket.send(frame)
    expect(await page.closed).toBe(1008)
  })

  test('a frame above 1 MiB closes it with 1009, and the server goes on', async () => {
    const page = await open()
    page.socket.send(
      JSON.stringify({ type: 'call', id: 1, call: 'state:snapshot', args: 'x'.repeat(1_048_577) }),
    )
    expect(await page.closed).toBe(1009)
    const next = await open()
    expect((await next.call('trash:list', {})).ok).toBe(true)
    next.socket.close()
  })

  test('more than a hundred unanswered calls get busy instead of being piled up', async () => {
    const page = await open()
    const answers = await Promise.all(Array.from({ length: 400 }, () => page.call('trash:list', {})))
    const busy = answers.filter((answer) => !answer.ok && answer.error.code === 'busy').length
    expect(busy).toBeGreaterThan(0)
    expect(answers.length - busy).toBeGreaterThanOrEqual(128)
    page.socket.close()
  })

  test('random frames never end the server, and each call is answered or the connection closed', async () => {
    const harmless = CALLS.filter((call) => !/^(bottle|agent|trash:undo|engine)/.test(call))
    const frame = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record({
          type: fc.constantFrom('call', 'open', 'input', 'resize', 'ack', 'close', 'result', 'event'),
          id: fc.oneof(fc.nat(50), fc.anything()),
          stream: fc.oneof(fc.nat(5), fc.anything()),
          call: fc.oneof(fc.constantFrom(...harmless), fc.string()),
          name: fc.constantFrom('logs', 'terminal', 'toString', ''),
          args: fc.oneof(fc.constant({ slug: 'nobody' }), fc.jsonValue()),
          bytes: fc.oneof(fc.nat(), fc.constant(-1)),
          cols: fc.oneof(fc.nat(2000), fc.anything()),
          rows: fc.nat(2000),
          data: fc.oneof(fc.string(), fc.nat()),
        })
        .map((value) => String(JSON.stringify(value))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 20 }), async (frames) => {
        const page = await open()
        for (const one of frames) page.socket.send(one)
        const alive = page.call('trash:list', {}).then((answer) => answer.ok)
        expect(await Promise.race([alive, page.closed.then((code) => [1005, 1008].includes(code))])).toBe(
          true,
        )
        page.socket.terminate()
      }),
      { numRuns: 150 },
    )
    const page = await open()
    expect((await page.call('state:snapshot', {})).ok).toBe(true)
    page.socket.close()
  }, 60_000)
})
