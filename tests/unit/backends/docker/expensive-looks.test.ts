import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { expect, it } from 'vitest'
import type { AgentPath } from '../../../../src-main/backends/agent-access.ts'
import type { Container } from '../../../../src-main/backends/docker/access-place.ts'
import { listInside, readInside } from '../../../../src-main/backends/docker/access-read.ts'
import type { Engine } from '../../../../src-main/backends/docker/engine.ts'
import { runInContainer } from '../../../../src-main/backends/docker/run-in-container.ts'

const MB = 1024 * 1024
const CONTAINER: Container = {
  id: 'c1',
  home: '/home/a',
  workspace: '/w',
  user: { home: '/home/a', owner: { uid: 0, gid: 0 } } as Container['user'],
  canRun: true,
  isRunning: true,
}
const at = (path: string): AgentPath => ({ base: 'home', path })

interface Scene {
  /** Bytes of each file of the folder that the engine packs. */
  readonly sizes: readonly number[]
  readonly exitCode: number
  readonly output: string | null
}

/** An engine that packs a folder of zeros, and whose programs end as told; one without output never ends. */
function engineOf({ sizes, exitCode, output }: Scene) {
  const seen = { packed: 0, packings: 0, limits: [] as (number | undefined)[] }
  const archive = (isFolder: boolean): Readable => {
    seen.packings++
    const tar = pack()
    const fill = async (): Promise<void> => {
      if (isFolder) tar.entry({ name: 'd', type: 'directory' })
      for (const [index, size] of sizes.entries()) {
        const zeros = async function* () {
          for (let left = size; left > 0; left -= MB) {
            seen.packed += MB
            yield Buffer.alloc(Math.min(MB, left))
          }
        }
        await new Promise<void>((resolve, reject) => {
          const entry = tar.entry({ name: `d/f${index}`, size }, (error) =>
            error ? reject(error) : resolve(),
          )
          Readable.from(zeros()).pipe(entry)
        })
      }
      tar.finalize()
    }
    fill().catch(() => undefined)
    return Readable.from(tar as AsyncIterable<Uint8Array>)
  }
  const program = (): Readable => {
    if (output === null) return new Readable({ read: () => undefined })
    const head = Buffer.alloc(8)
    head[0] = 1
    head.writeUInt32BE(output.length, 4)
    return Readable.from([Buffer.concat([head, Buffer.from(output)])])
  }
  const stat = Buffer.from(JSON.stringify({ size: sizes[0] ?? 0, mode: 0o644 })).toString('base64')
  const docker = {
    getContainer: () => ({
      getArchive: async ({ path }: { readonly path: string }) => archive(path.endsWith('/d')),
      infoArchive: async () => ({
        headers: { 'x-docker-container-path-stat': stat },
        resume: () => undefined,
      }),
    }),
    getExec: () => ({ start: async () => program() }),
  }
  const engine = {
    send: async () => ({ Id: 'e1' }),
    get: async () => ({ ExitCode: exitCode }),
    call: async (_what: string, signal: AbortSignal, run: CallableFunction, timeoutMs?: number) => {
      seen.limits.push(timeoutMs)
      return run(docker, signal)
    },
  }
  return { engine: engine as unknown as Engine, seen }
}

const { signal } = new AbortController()
const list = (engine: Engine, container = CONTAINER) => listInside(engine, container, at('d'), 10, signal)

it('takes what a search found before it failed', async () => {
  const { engine, seen } = engineOf({
    sizes: [30 * MB],
    exitCode: 1,
    output: '1700000000 5 ./one\nended 1\n',
  })
  expect(await list(engine)).toEqual([{ path: 'one', bytes: 5, modifiedAt: 1_700_000_000_000 }])
  expect(seen.packed).toBeLessThanOrEqual(8 * MB)
})

it('leaves out a line that was cut', async () => {
  const output = '1700000000 5 ./one\n1700000000 5 ./tw'
  const { engine } = engineOf({ sizes: [30 * MB], exitCode: 0, output })
  expect((await list(engine)).map(({ path }) => path)).toEqual(['one'])
})

it.each([
  ['found nothing', 0, 'ended 0\n'],
  ['has no way to the folder', 3, ''],
])('packs nothing more when a search %s', async (_what, exitCode, output) => {
  const { engine, seen } = engineOf({ sizes: [30 * MB], exitCode, output })
  expect(await list(engine)).toEqual([])
  expect(seen.packings).toBe(1)
})

it('packs a bounded part of a folder in seconds where there is no search', async () => {
  const { engine, seen } = engineOf({
    sizes: [30 * MB, 30 * MB, 30 * MB, 30 * MB],
    exitCode: 127,
    output: '',
  })
  // The newest is first, and a second may have begun between two of them.
  expect((await list(engine)).map(({ path }) => path).toSorted()).toEqual(['f0', 'f1', 'f2'])
  expect(seen.packed).toBeLessThanOrEqual(70 * MB)
  for (const limit of seen.limits) expect(limit ?? 60_000).toBeLessThanOrEqual(60_000)
})

it('packs no large file for its end', async () => {
  const large = { sizes: [200 * MB], output: '' }
  const none = engineOf({ ...large, exitCode: 127 })
  await expect(readInside(none.engine, CONTAINER, at('d/f0'), 100, signal)).rejects.toMatchObject({
    code: 'unsupported',
  })
  expect(none.seen.packed).toBeLessThanOrEqual(8 * MB)
  const gone = engineOf({ ...large, exitCode: 3 })
  expect(await readInside(gone.engine, CONTAINER, at('d/f0'), 100, signal)).toBeNull()
  expect(gone.seen.packings).toBe(0)
})

it('gives the end of a file that grew while it was read', async () => {
  const { engine } = engineOf({ sizes: [200 * MB], exitCode: 0, output: 'abcdef' })
  expect(String(await readInside(engine, CONTAINER, at('d/f0'), 4, signal))).toBe('cdef')
})

it('ends a program that does not', async () => {
  const { engine } = engineOf({ sizes: [], exitCode: 0, output: null })
  const running = runInContainer(engine, 'c1', ['x'], { most: 10, timeoutMs: 20 }, signal)
  await expect(running).rejects.toMatchObject({ code: 'timeout' })
})
