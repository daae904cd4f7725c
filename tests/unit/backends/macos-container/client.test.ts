import { chmod, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  clientEnvironment,
  createClient,
  verbOf,
} from '../../../../src-main/backends/macos-container/client.ts'
import { showVersion } from '../../../../src-main/backends/macos-container/versions.ts'

const never = new AbortController().signal
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'container-client-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Puts a program of that name on a PATH of its own. */
async function program(script: string) {
  const file = join(dir, 'container')
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return createClient({ PATH: `${dir}:/usr/bin:/bin`, HOME: '/home/me', API_KEY: 'CANARY' })
}

it('hands on what the program needs, and no secret of ours', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    TMPDIR: '/t',
    CONTAINER_DEBUG: '1',
    AWS_SECRET: 'x',
    GITHUB_TOKEN: 'y',
  }
  expect(clientEnvironment(env)).toEqual({ PATH: '/bin', HOME: '/h', TMPDIR: '/t', CONTAINER_DEBUG: '1' })
})

it('names a verb with its group', () => {
  expect([verbOf(['list', '--all']), verbOf(['image', 'load', '-i', 'x']), verbOf([])]).toEqual([
    'list',
    'image load',
    '',
  ])
})

describe('a call', () => {
  it('keeps both streams apart, and the environment small', async () => {
    const client = await program('echo warning >&2; echo "$API_KEY|$HOME|$1"')
    const { stdout, stderr } = await client.run(['x'], never)
    expect(stdout).toBe('|/home/me|x')
    expect(stderr).toBe('warning')
  })
  it('reads JSON from stdout only, and refuses anything else', async () => {
    const client = await program('echo noise >&2; echo \'{"a":1}\'')
    expect(await client.json(['list'], never)).toEqual({ a: 1 })
    const table = await program('echo ID IMAGE')
    await expect(table.json(['list'], never)).rejects.toMatchObject({ code: 'engine-failed' })
  })
  it('that fails is told in the code of its reason', async () => {
    const client = await program('echo "Error: container not found: a" >&2; exit 1')
    await expect(client.run(['inspect', 'a'], never)).rejects.toMatchObject({ code: 'not-found' })
    expect((await client.run(['inspect', 'a'], never, { okCodes: 'any' })).exitCode).toBe(1)
  })
  it('ends with its time and with its signal', async () => {
    const client = await program('exec sleep 60')
    await expect(client.run(['list'], never, { timeout: 100 })).rejects.toMatchObject({ code: 'timeout' })
    const controller = new AbortController()
    const running = client.run(['list'], controller.signal)
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })
  it('of a program that is not there costs nothing', async () => {
    const client = createClient({ PATH: join(dir, 'none') })
    expect(await client.program()).toBeNull()
    await expect(client.run(['list'], never)).rejects.toMatchObject({ code: 'engine-missing' })
  })
})

describe('a stream', () => {
  const read = async (stream: AsyncIterable<Uint8Array>) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  it('hands out bytes as they come, and ends with its reader', async () => {
    const client = await program('printf one; exec sleep 60')
    for await (const chunk of client.stream(['logs'], never)) {
      expect(Buffer.from(chunk).toString()).toBe('one')
      break
    }
  })
  it('that fails late is a failure all the same', async () => {
    const client = await program('echo part; echo "Error: container a not found" >&2; exit 1')
    await expect(read(client.stream(['logs', 'a'], never))).rejects.toMatchObject({ code: 'not-found' })
  })
  it('ends with its time', async () => {
    const client = await program('exec sleep 60')
    await expect(read(client.stream(['logs'], never, 100))).rejects.toMatchObject({ code: 'timeout' })
  })
})

describe('the version', () => {
  it('is asked once per program, and again after an upgrade', async () => {
    const log = join(dir, 'log')
    const say = (version: string) =>
      program(`echo x >>${log}; echo "container CLI version ${version} (build: release, commit: a)"`)
    const client = await say('1.2.0')
    expect(showVersion(await client.version(never))).toBe('1.2.0')
    expect((await client.gates(never)).liveExport).toBe(false)
    await say('1.2.1')
    await utimes(join(dir, 'container'), new Date(), new Date(Date.now() + 5000))
    expect((await client.gates(never)).liveExport).toBe(true)
  })
  it('of another program of that name is none', async () => {
    const client = await program('echo "container: a tool for shipping yards 3.1"')
    await expect(client.version(never)).rejects.toMatchObject({ code: 'engine-missing' })
  })
})
