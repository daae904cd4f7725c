import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type IceboxHome, makeIceboxHome, OUT } from '../support/icebox-home.ts'
import { ask } from '../support/serve.ts'

let home: IceboxHome
const children: ChildProcess[] = []
beforeEach(async () => {
  home = await makeIceboxHome()
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await home.remove()
})

interface Serving {
  readonly child: ChildProcess
  readonly line: string
  readonly url: URL
}

/** Starts the built command and waits for its first line. */
async function serve(...args: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [join(OUT, 'main/cli.js'), 'serve', '--no-open', ...args], {
    env: { ...process.env, ICEBOX_HOME: home.dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let text = ''
  for await (const part of child.stdout ?? []) {
    text += String(part)
    if (text.includes('\n')) break
  }
  const line = text.trim()
  return { child, line, url: new URL(/http:\S+?(?=["\s]|$)/.exec(line)?.[0] ?? 'http://none.invalid') }
}

async function enter(url: URL): Promise<string> {
  const answer = await ask(Number(url.port), url.search, {})
  expect(answer.status).toBe(302)
  return String(answer.headers['set-cookie']?.[0]).split(';')[0] ?? ''
}

test('--json is one line with the address, a person gets a sentence, and the page is there', async () => {
  const { line, url } = await serve('--json')
  expect(JSON.parse(line)).toEqual({ url: url.href })
  const page = await ask(Number(url.port), '/', { headers: { cookie: await enter(url) } })
  expect(page.body).toContain('<title>Icebox</title>')
  const { line: sentence } = await serve()
  expect(sentence).toMatch(/^Icebox is at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/)
})

test('--new-link asks the running server; without one it says so', async () => {
  expect(await home.icebox(['serve', '--new-link'])).toMatchObject({ code: 1, errorCode: 'not-found' })
  const { url } = await serve('--json')
  await enter(url)
  const fresh = await home.must(['serve', '--new-link'])
  const link = new URL((fresh.json as { url: string }).url)
  expect(link.port).toBe(url.port)
  expect(link.search).not.toBe(url.search)
  await enter(link)
})

test('a record of a killed server is no server, and the next one replaces it', async () => {
  const first = await serve('--json')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  expect(await home.icebox(['serve', '--new-link'])).toMatchObject({ code: 1, errorCode: 'not-found' })
  const second = await serve('--json')
  const link = await home.must(['serve', '--new-link'])
  expect(new URL((link.json as { url: string }).url).port).toBe(second.url.port)
})

test('a damaged record is no server either', async () => {
  await home.must(['list'])
  await writeFile(join(home.dir, 'icebox/serve.json'), '{"port": 1')
  expect(await home.icebox(['serve', '--new-link'])).toMatchObject({ code: 1, errorCode: 'not-found' })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends it in order with %i', async (signal, code) => {
  const { child, url } = await serve('--json')
  child.kill(signal)
  expect(await once(child, 'exit')).toEqual([code, null])
  await expect(readFile(join(home.dir, 'icebox/serve.json'))).rejects.toThrow()
  await expect(ask(Number(url.port), '/', {})).rejects.toThrow()
})

test('a taken port and a port that is none are told', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const taken = (other.address() as AddressInfo).port
  const answer = await home.icebox(['serve', '--no-open', '--port', String(taken)])
  expect(answer).toMatchObject({ code: 1, errorCode: 'exists' })
  expect(answer.stderr).toContain(String(taken))
  other.close()
  expect((await home.icebox(['serve', '--no-open', '--port', '70000'])).code).toBe(2)
})

test('a chosen port is used', async () => {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const free = (probe.address() as AddressInfo).port
  probe.close()
  await once(probe, 'close')
  expect((await serve('--json', '--port', String(free))).url.port).toBe(String(free))
})
