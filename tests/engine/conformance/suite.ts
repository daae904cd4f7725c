import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { makeTestBottles, type TestBottles } from '../../support/test-bottles.ts'

/** One backend under the suite: how to declare a bottle on it, and how its runtime is thrown away by hand. */
export interface Subject {
  readonly backend: string
  /** Of the engine, where the suite runs over several. */
  readonly version?: string
  /** Where the state root is made; default the temp folder. */
  base?(): string
  /** Frontmatter of the bottle definition. */
  bottle(): Promise<string>
  /** Environment of the core, as with a double of an engine on its PATH; default this process's. Asked before `bottle`. */
  environment?(): Promise<NodeJS.ProcessEnv>
  /** Ends the engine with everything on it, where it is the subject's own: then the bottles need no destroying. */
  dispose?(): Promise<void>
  /** Removes the runtime behind Icebox's back, as `docker rm -f` does. */
  throwAway(tests: TestBottles, slug: string): Promise<void>
}

const never = new AbortController().signal

/** What every backend must do, written once. Source: testing.md, "backend conformance suite". */
export function conformance(subject: Subject): void {
  const title = [subject.backend, ...(subject.version ? [subject.version] : [])].join(' ')
  describe(`conformance of ${title}`, () => {
    let tests: TestBottles
    beforeAll(async () => {
      const env = await subject.environment?.()
      tests = await makeTestBottles(await subject.bottle(), subject.base?.(), env)
    })
    afterAll(async () => {
      await tests?.dispose({ isEngineThrownAway: subject.dispose !== undefined })
      await subject.dispose?.()
    })

    const freeze = async (slug: string): Promise<Snapshot> =>
      (await tests.icebox.bottles.freeze({ slug }, tests.context())).snapshot
    const row = async (slug: string) =>
      (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)

    it('starts an agent, waits for it, and keeps its output and its exit', async () => {
      const { slug, exitCode } = await tests.run('echo out; echo err >&2; exit 0', 'plain')
      expect(exitCode).toBe(0)
      expect(await tests.output(slug)).toMatch(/out[\s\S]*err|err[\s\S]*out/)
      expect(await row(slug)).toMatchObject({ state: 'stopped', agentState: 'exited', exitCode: 0 })
    })

    it('tells a failing agent by its own code, and the bottle can still be frozen and resumed', async () => {
      const { slug, exitCode } = await tests.run('echo kept > marker; exit 7', 'failing')
      expect(exitCode).toBe(7)
      expect(await row(slug)).toMatchObject({ state: 'failed', exitCode: 7 })
      await freeze(slug)
      expect(await row(slug)).toMatchObject({ state: 'frozen', exitCode: 7 })
      expect(await tests.resume(slug, 'cat marker')).toBe(0)
      expect(await tests.output(slug)).toBe('kept\n')
    })

    it('brings the work back after freeze and the loss of the runtime', async () => {
      const { slug } = await tests.run('echo first > marker; mkdir -p deep/er; ln -s ../marker deep/link')
      const snapshot = await freeze(slug)
      expect(snapshot).toMatchObject({ backend: subject.backend, slug, parent: null, reason: 'user' })
      await subject.throwAway(tests, slug)
      expect(await row(slug)).toMatchObject({ state: 'frozen', currentSnapshot: snapshot.id })
      expect(await tests.resume(slug, 'cat marker deep/link')).toBe(0)
      expect(await tests.output(slug)).toBe('first\nfirst\n')
    })

    it('freezes while the agent runs, and the agent goes on', async () => {
      const { slug, ended } = await tests.launch(
        'echo early > marker; echo ready; while [ ! -e go ] && [ ! -e /tmp/go ]; do sleep 0.1; done; echo late > marker',
        'running',
      )
      await until(async () => (await tests.output(slug)).includes('ready'))
      let isOver = false
      void ended.then(() => {
        isOver = true
      })
      const snapshot = await freeze(slug)
      expect(await row(slug)).toMatchObject({ state: 'running', exitCode: null })
      // Also where an engine has to stop it for the freeze: whoever waits for the agent is told of no end.
      expect(isOver).toBe(false)
      await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
      await ended
      await subject.throwAway(tests, slug)
      expect(await tests.resume(`${slug}@${snapshot.id}`, 'cat marker')).toBe(0)
      expect(await tests.output(slug)).toBe('early\n')
    })

    it('never drops newer work: a resume freezes it first, and the older snapshot stays', async () => {
      const { slug } = await tests.run('echo one > marker', 'newer')
      const older = await freeze(slug)
      expect(await tests.resume(slug, 'echo two > marker')).toBe(0)
      expect(await tests.resume(slug, 'cat marker')).toBe(0)
      expect(await tests.output(slug)).toBe('two\n')
      const tree = await tests.icebox.bottles.snapshots(slug)
      expect(tree.map((snapshot) => snapshot.reason)).toContain('before-resume')
      expect(await tests.resume(`${slug}@${older.id}`, 'cat marker')).toBe(0)
      expect(await tests.output(slug)).toBe('one\n')
    })

    it('keeps the snapshot of a bottle that has not changed', async () => {
      const { slug } = await tests.run('echo same > marker', 'same')
      const first = await freeze(slug)
      expect((await freeze(slug)).id).toBe(first.id)
    })

    it('forks several bottles from an old snapshot', async () => {
      const { slug } = await tests.run('echo old > marker', 'source')
      const old = await freeze(slug)
      await tests.resume(slug, 'echo new > marker')
      await freeze(slug)
      const forks = await tests.icebox.bottles.fork(
        { slug, snapshot: old.id, count: 3, mode: 'headless', prompt: 'cat marker', cwd: tests.home.dir },
        tests.context(),
      )
      expect(new Set(forks.map((run) => run.slug)).size).toBe(3)
      for (const made of forks) {
        expect(made.exitCode).toBe(0)
        expect(await tests.output(made.slug)).toBe('old\n')
        expect((await row(made.slug))?.parent).toBe(`${slug}@${old.id}`)
      }
    })

    it('refuses a second start of what runs, and stops it', async () => {
      const { slug, ended } = await tests.launch('echo ready; sleep 300', 'busy')
      await expect(tests.resume(slug, 'true')).rejects.toMatchObject({ code: 'busy' })
      const done = await tests.icebox.bottles.stop(slug, { graceSeconds: 1 }, tests.context())
      expect(done.done).toEqual([`stopped ${slug}`])
      expect(await ended).not.toBe(0)
      expect(await row(slug)).toMatchObject({ state: 'stopped' })
      const again = await tests.icebox.bottles.stop(slug, {}, tests.context())
      expect(again.done).toEqual([`${slug} was already stopped`])
    })

    it('destroys twice, brings back once, with all snapshots', async () => {
      const { slug } = await tests.run('echo treasure > marker', 'doomed')
      await freeze(slug)
      await tests.icebox.bottles.destroy({ slug }, tests.context())
      expect(await row(slug)).toBeUndefined()
      const again = await tests.icebox.bottles.destroy({ slug }, tests.context())
      expect(again.done).toEqual([`${slug} was already gone`])
      expect(await tests.icebox.bottles.undo(slug, tests.context())).toEqual({ slug })
      expect(await tests.resume(slug, 'cat marker')).toBe(0)
      expect(await tests.output(slug)).toBe('treasure\n')
    })

    it('comes back from the trash beside a new bottle of its name', async () => {
      const { slug } = await tests.run('echo elder > marker', 'twin')
      await freeze(slug)
      await tests.icebox.bottles.destroy({ slug }, tests.context())
      // The trash keeps the name taken, so a new bottle of the label gets a number.
      const younger = await tests.run('echo younger > marker', 'twin')
      expect(younger.slug).toBe('twin-2')
      expect(await tests.icebox.bottles.undo(slug, tests.context())).toEqual({ slug: 'twin' })
      expect(await tests.resume('twin', 'cat marker')).toBe(0)
      expect(await tests.output('twin')).toBe('elder\n')
    })

    it('tells a missing bottle, a wrong name and a lost snapshot apart', async () => {
      await expect(tests.resume('nobody', 'true')).rejects.toMatchObject({ code: 'not-found' })
      await expect(freeze('../x')).rejects.toMatchObject({ code: 'invalid-slug' })
      const { slug } = await tests.run('true', 'bare')
      await subject.throwAway(tests, slug)
      await expect(freeze(slug)).rejects.toMatchObject({ code: 'not-found' })
      await expect(tests.resume(slug, 'true')).rejects.toMatchObject({ code: 'snapshot-missing' })
      await expect(tests.resume(`${slug}@nope`, 'true')).rejects.toMatchObject({ code: 'snapshot-missing' })
    })

    it('starts many bottles of one label at once, each under its own name', async () => {
      const runs = await Promise.all(Array.from({ length: 4 }, () => tests.run('echo x', 'crowd')))
      expect(new Set(runs.map((run) => run.slug)).size).toBe(4)
    })

    it('tells the watchers when a bottle ends by itself', async () => {
      const controller = new AbortController()
      const seen: (string | null)[] = []
      const watching = (async () => {
        for await (const slug of tests.icebox.bottles.watch(controller.signal)) seen.push(slug)
      })()
      const { slug } = await tests.run('true', 'watched')
      await until(async () => seen.includes(slug))
      controller.abort()
      await watching
    })
  })
}

/** Waits for a condition, looking ten times a second; the test's own limit ends a vain wait. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100))
}
