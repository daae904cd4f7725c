import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freeze } from '../../src-main/api.ts'
import { type Core, createCore } from '../../src-main/ipc/core.ts'
import { freezeMany } from '../../src-main/shell/freeze-many.ts'
import { taskEnd } from '../../src-main/tasks/task-end.ts'
import type { CallArgs, CallName, CallResult } from '../../src-preload/contract/index.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

/** A release that exports stopped containers only. */
const VERSION = '1.2.0'
const never = new AbortController().signal
const AGENT = 'echo "$$" >> starts; exec sleep 100000'

describe('a bottle that its engine must stop to freeze it', () => {
  let world: ContainerWorld
  let tests: TestBottles
  let core: Core
  let slug: string
  const path = process.env.PATH

  beforeAll(async () => {
    world = await makeContainerWorld(VERSION)
    // The API and the command take the environment of their process.
    process.env.PATH = world.double.env.PATH
    tests = await makeTestBottles(`backend: macos-container\nimage: ${world.image}\nworkdir: /work`)
    const started = await tests.launch(AGENT, 'web')
    slug = started.slug
    started.ended.catch(() => undefined)
    core = createCore(tests.icebox, 'test', () => undefined)
  })
  afterAll(async () => {
    await core?.close(0)
    await tests?.dispose()
    process.env.PATH = path
    await world?.double.dispose()
  })

  /** How often the agent was started, and how many snapshots there are. */
  const facts = async () => {
    await expect
      .poll(async () => (await tests.icebox.bottles.rows([slug], never)).get(slug)?.state)
      .toBe('running')
    const [id = ''] = world.containersOf(slug)
    return {
      starts: world.must(['exec', id, 'cat', '/work/starts']).trim().split('\n').length,
      snapshots: (await tests.icebox.bottles.snapshots(slug)).length,
    }
  }
  const call = async <K extends CallName>(name: K, args: CallArgs<K>): Promise<CallResult<K>> => {
    const result = await core.router(name, args)
    if (!result.ok) throw new Error(result.error.message)
    return result.value as CallResult<K>
  }
  const asked = async (taskId: string) => {
    const question = () => core.tasks.list().find(({ id }) => id === taskId)?.question ?? null
    await expect.poll(question, { timeout: 20_000 }).toMatch(/web .*\?$/s)
  }

  it('is left alone by a no in the window', async () => {
    const before = await facts()
    const { taskId } = await call('bottle:freeze', { slug })
    await asked(taskId)
    expect(await call('task:answer', { taskId, agree: false })).toEqual({ answered: true })
    expect(await taskEnd(core.tasks, taskId, never)).toMatchObject({
      state: 'cancelled',
      question: null,
      message: 'web was not frozen and goes on: stopping it was declined.',
    })
    expect(await facts()).toEqual(before)
  })

  it('is left alone by a task that is cancelled while it asks', async () => {
    const before = await facts()
    const { taskId } = await call('bottle:freeze', { slug })
    await asked(taskId)
    await call('task:cancel', { taskId })
    expect(await taskEnd(core.tasks, taskId, never)).toMatchObject({ state: 'cancelled', question: null })
    expect(await facts()).toEqual(before)
  })

  it('is told, and never stopped, by Freeze all and by rules', async () => {
    const before = await facts()
    const { taskId } = await call('bottle:freeze', { slug, mayAsk: false })
    const message = expect.stringContaining('web was not frozen: its engine has to stop it')
    expect(await taskEnd(core.tasks, taskId, never)).toMatchObject({ state: 'failed', message })
    const parts = { bottles: tests.icebox.bottles, tasks: core.tasks }
    const missed = await freezeMany(parts, [slug], { note: 'Before sleep', noMore: never, signal: never })
    expect(missed).toEqual([{ slug, problem: message }])
    expect(await facts()).toEqual(before)
  })

  it('is refused by the API without an answer, and by the command without a terminal', async () => {
    const before = await facts()
    const { dir: home } = tests.home
    await expect(freeze(slug, { home })).rejects.toMatchObject({ code: 'cancelled', slug })
    await expect(freeze(slug, { home, confirm: () => false })).rejects.toMatchObject({ code: 'cancelled' })
    const refused = await tests.home.icebox(['freeze', slug])
    expect(refused).toMatchObject({ code: 2, errorCode: 'usage' })
    expect(refused.stderr).toMatch(/no terminal to ask at: say --yes/)
    expect(await facts()).toEqual(before)
  })

  it('is stopped, frozen and started again after a yes on any face', async () => {
    const { starts, snapshots } = await facts()
    const { taskId } = await call('bottle:freeze', { slug })
    await asked(taskId)
    await call('task:answer', { taskId, agree: true })
    expect(await taskEnd(core.tasks, taskId, never)).toMatchObject({ state: 'done' })
    expect(await facts()).toEqual({ starts: starts + 1, snapshots: snapshots + 1 })

    await tests.home.must(['freeze', slug, '--yes'])
    expect(await facts()).toEqual({ starts: starts + 2, snapshots: snapshots + 2 })

    const questions: string[] = []
    const confirm = (question: string) => questions.push(question) > 0
    await freeze(slug, { home: tests.home.dir, confirm })
    expect(questions).toHaveLength(1)
    expect(await facts()).toEqual({ starts: starts + 3, snapshots: snapshots + 3 })
  })
})
