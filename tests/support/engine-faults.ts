import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { ErrorCode } from '../../src-preload/contract/errors.ts'
import type { InstalledDouble } from './doubles/lib/install.ts'
import type { Knobs } from './doubles/lib/knobs.ts'
import { memoryFolder } from './memory-folder.ts'
import { makeTestBottles, type TestBottles } from './test-bottles.ts'

/** What a freeze meets, and what it is to say. */
export interface FaultScene {
  readonly name: string
  readonly knobs: Knobs
  readonly code: ErrorCode | readonly ErrorCode[]
  /** Words that the sentence must hold. */
  readonly says?: RegExp
  /** Cancels the freeze once this verb was called: for what would hang for hours. */
  readonly cancelAt?: string
}

/** An engine as the bench needs to see it. */
export interface FaultEngine {
  readonly double: InstalledDouble
  /** Frontmatter of the bottle. */
  readonly bottle: string
  /** Everything that the engine holds, without what changes by itself. */
  objects(): readonly string[]
  /** Every path in the bottle's guest, which must run. */
  guest(slug: string): readonly string[]
  /** Removes the bottle's runtime behind Icebox's back. */
  throwAway(slug: string): void
  /** Writes something new in the bottle, so that nothing of it is known from before. */
  change(slug: string): void
}

/** A running bottle with one snapshot, and a look at all that a freeze could leave behind. */
export interface FaultBench {
  readonly tests: TestBottles
  readonly slug: string
  /** Fails a freeze as the scene says, and checks that nothing else has happened. */
  play(scene: FaultScene): Promise<void>
  freeze(signal?: AbortSignal): Promise<string>
  /** Waits until it is seen that the bottle runs no more. */
  ended(): Promise<void>
  dispose(): Promise<void>
}

/** The agent keeps its marker when it is started again, and never ends by itself. */
const SCRIPT = '[ -e marker ] || echo first > marker; exec sleep 100000'

export async function makeFaultBench(engine: FaultEngine): Promise<FaultBench> {
  const temp = await mkdtemp(join(memoryFolder(), 'fault-'))
  await mkdir(join(temp, 'tmp'))
  const env = { ...engine.double.env, TMPDIR: join(temp, 'tmp') }
  const tests = await makeTestBottles(engine.bottle, temp, env)
  const never = new AbortController().signal
  const { slug, ended } = await tests.launch(SCRIPT, 'web')
  // A bottle that is stopped for its freeze ends this wait; what runs afterwards is looked at by itself.
  ended.catch(() => undefined)

  const row = async () => (await tests.icebox.bottles.rows([slug], never)).get(slug)
  const running = () => expect.poll(async () => (await row())?.state, { timeout: 20_000 }).toBe('running')
  await vi.waitFor(() => expect(engine.guest(slug)).toContain('/work/marker'), {
    timeout: 20_000,
    interval: 200,
  })
  const freeze = async (signal = never): Promise<string> => {
    const { snapshot } = await tests.icebox.bottles.freeze({ slug }, tests.context({ signal }))
    return snapshot.id
  }
  const look = async () => ({
    snapshots: (await tests.icebox.bottles.snapshots(slug)).map(({ id, status }) => `${id} ${status}`),
    current: await readFile(join(tests.home.dir, 'state', slug, 'committed-image'), 'utf8'),
    objects: engine.objects(),
    guest: engine.guest(slug),
    home: await pathsUnder(tests.home.dir),
    temp: await pathsUnder(join(temp, 'tmp')),
  })
  return {
    tests,
    slug,
    freeze,
    ended: () => expect.poll(async () => (await row())?.state, { timeout: 20_000 }).not.toBe('running'),
    async play({ knobs, code, says, cancelAt }) {
      await running()
      engine.change(slug)
      const before = await look()
      const calls = engine.double.calls().length
      const stop = new AbortController()
      engine.double.setKnobs(knobs)
      const failing = freeze(stop.signal)
      failing.catch(() => undefined)
      if (cancelAt !== undefined) {
        const verbs = () =>
          engine.double
            .calls()
            .slice(calls)
            .map(({ argv }) => argv.join(' '))
        await expect
          .poll(() => verbs().some((verb) => verb.startsWith(cancelAt)), { timeout: 30_000 })
          .toBe(true)
        stop.abort()
      }
      const failed = await failing.then(
        (id) => ({ code: 'none', message: `it froze as ${id}` }),
        (thrown: { code: string; message: string }) => thrown,
      )
      engine.double.setKnobs({})
      expect([code].flat(), failed.message).toContain(failed.code)
      expect(failed.message).not.toMatch(/\n| at .*:\d+:\d+|undefined|\[object/)
      if (says) expect(failed.message).toMatch(says)
      await running()
      // What starts a stopped bottle again tidies up a moment after it runs.
      await expect.poll(look, { timeout: 20_000, interval: 500 }).toEqual(before)
      await expect.poll(() => hangingCalls(engine.double, calls), { timeout: 20_000 }).toEqual([])
    },
    async dispose() {
      engine.double.setKnobs({})
      await tests.dispose()
      await rm(temp, { recursive: true, force: true })
    },
  }
}

/** What moves data and so may hang for long; all else is bounded by seconds. */
const LONG = /^(?:export|image load|image save|build|pack create|machine checkpoint)\b/

/** Such calls since then that have not ended. */
function hangingCalls(double: InstalledDouble, since: number): readonly string[] {
  return double
    .calls()
    .slice(since)
    .filter(({ argv, pid }) => LONG.test(argv.join(' ')) && isThere(pid))
    .map(({ argv }) => argv.join(' '))
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What comes and goes without anybody having left it: locks and notes of changes. */
const PASSING = /^icebox\/(?:locks|changes)|\.lock$|\/logs\//

async function pathsUnder(dir: string): Promise<readonly string[]> {
  const paths = await readdir(dir, { recursive: true })
  return paths.filter((path) => !PASSING.test(path)).sort()
}
