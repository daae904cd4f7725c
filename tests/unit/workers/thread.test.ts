import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool } from '../../../src-main/workers/pool.ts'
import { startThread, type Thread, workerProgram } from '../../../src-main/workers/thread.ts'

const never = new AbortController().signal
let dir: string
const started: Thread[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-thread-'))
})
afterEach(async () => {
  for (const thread of started.splice(0)) thread.end()
  await rm(dir, { recursive: true, force: true })
})

async function programOf(text: string): Promise<URL> {
  const file = join(dir, 'program.mjs')
  await writeFile(file, text)
  return pathToFileURL(file)
}

function start(program?: URL): Thread {
  const thread = program ? startThread(program) : startThread()
  started.push(thread)
  return thread
}

describe('a thread that dies', () => {
  test.each([
    [
      'by an exception',
      `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => { throw new Error('boom') })`,
    ],
    [
      'by its exit',
      `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => process.exit(3))`,
    ],
    ['before it began', `throw new Error('no start')`],
    ['by a syntax error', `this is no program`],
  ])('%s fails its jobs', async (_, text) => {
    const thread = start(await programOf(text))
    const jobs = [1, 2].map(() => thread.call('hash', { file: '/dev/null' }).result)
    for (const job of jobs) await expect(job).rejects.toMatchObject({ code: 'internal' })
    expect(thread.isDead).toBe(true)
    await expect(thread.call('hash', { file: '/dev/null' }).result).rejects.toMatchObject({
      code: 'internal',
    })
  })

  test('is replaced by its pool', async () => {
    const dying = await programOf(`process.exit(1)`)
    let starts = 0
    const pool = createPool(1, {
      start: () => {
        starts++
        return start(starts === 1 ? dying : undefined)
      },
    })
    await expect(pool.pick().call('hash', { file: '/dev/null' }).result).rejects.toThrow('ended unexpectedly')
    await expect(pool.pick().call('hash', { file: '/dev/null' }).result).resolves.toMatchObject({ bytes: 0 })
    expect(starts).toBe(2)
  })
})

describe('a pool', () => {
  test('starts threads on need and no more than it may', async () => {
    let starts = 0
    const pool = createPool(2, {
      start: () => {
        starts++
        return start()
      },
    })
    const busy = Array.from({ length: 5 }, () => pool.pick().call('hash', { file: '/dev/null' }).result)
    await Promise.all(busy)
    expect(starts).toBe(2)
    await pool.pick().call('hash', { file: '/dev/null' }, { signal: never }).result
    expect(starts).toBe(2)
  })

  test('ends its threads when they are idle, not while they are held', async () => {
    let onIdle: () => void = () => undefined
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve
    })
    let idles = 0
    const made: Thread[] = []
    const pool = createPool(1, {
      start: () => {
        const thread = start()
        made.push(thread)
        return thread
      },
      idleMs: 5,
      onIdle: () => {
        idles++
        onIdle()
      },
    })
    const release = pool.hold()
    await pool.pick().call('hash', { file: '/dev/null' }).result
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(idles).toBe(0)
    // The sweep does not keep a process alive, this does.
    const alive = setInterval(() => undefined, 1000)
    release()
    await idle
    clearInterval(alive)
    expect(made[0]?.isDead).toBe(true)
  })
})

test('the program is beside the sources, or above the chunks of the build', () => {
  expect(workerProgram('file:///a/src-main/workers/thread.ts').pathname).toBe('/a/src-main/worker.ts')
  expect(workerProgram('file:///a/out/main/chunks/thread-x.js').pathname).toBe('/a/out/main/worker.js')
  expect(workerProgram('file:///a/out/main/cli.js').pathname).toBe('/a/out/main/worker.js')
})
