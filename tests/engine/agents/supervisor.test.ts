import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive } from '../../../src-main/system/process-identity.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'

const FAST = 'backoff: { initial: 0.2, max: 1, multiplier: 2, jitter: 0 }'

describe('an agent of this machine under supervision', () => {
  let world: SupervisedWorld

  beforeAll(async () => {
    world = await makeSupervisedWorld({ settle: 0.1 })
    await world.supervise()
  })
  afterAll(() => world.dispose())

  /** Waits until the agent shows that it can be talked to. */
  const ready = (slug: string) =>
    until(`${slug} waits`, async () => (await world.sample(slug))?.state === 'waiting')

  test('weakness 09: a crash is followed by a restart with its hook once, a clean end by none', async () => {
    const hooks = join(world.home.dir, 'restarts')
    await world.agent(
      'phoenix',
      `runtime: terminal
restart: { policy: on-failure, max_retries: 3, ${FAST} }
hooks: { on_restart: ['echo "$SCITEX_HOOK_CTX_ATTEMPT $SCITEX_HOOK_CTX_EXIT_CODE" >> ${hooks}'] }`,
    )
    const slug = await world.begin('phoenix')
    await ready(slug)
    const first = await world.newestRun(slug)
    await world.say(slug, '!crash 3')
    const second = await until('it runs again', async () => {
      const run = await world.newestRun(slug)
      return run.startedAt !== first.startedAt && run.exit === null && run
    })
    expect(second.id).toBe(first.id)
    await ready(slug)
    expect(await world.lines(hooks)).toEqual(['1 3'])
    expect((await world.sample(slug))?.restarts).toMatchObject({ count: 1, nextAt: null, gaveUp: null })
    await world.say(slug, '!exit')
    await until('it has ended', async () => (await world.newestRun(slug)).exit?.code === 0)
    await until('the end is seen', async () => (await world.sample(slug))?.state === 'exited')
    expect((await world.newestRun(slug)).startedAt).toBe(second.startedAt)
    expect(await world.lines(hooks)).toEqual(['1 3'])
    expect((await world.life(slug)).filter((line) => line.startsWith('start'))).toHaveLength(2)
  })

  test('weakness 09: giving up is visible in the row, in the journal and to a hook', async () => {
    const hooks = join(world.home.dir, 'health')
    await world.agent(
      'hopeless',
      `runtime: terminal
restart: { policy: always, max_retries: 2, ${FAST} }
startup: { commands: ['!crash 9'] }
hooks: { on_health: ['echo "$ICEBOX_HOOK_CTX_STATE" >> ${hooks}'] }`,
    )
    const slug = await world.begin('hopeless')
    const gaveUp = await until(
      'it is given up',
      async () => (await world.sample(slug))?.restarts.gaveUp ?? false,
    )
    expect(gaveUp).toContain('restarted 2 times')
    expect((await world.life(slug)).filter((line) => line.startsWith('start'))).toHaveLength(3)
    const told = await until('the hook was told', async () => {
      const states = await world.lines(hooks)
      return states.includes('gave-up') && states
    })
    expect(told.filter((state) => state === 'exited')).toHaveLength(3)
    expect(await world.journal(slug)).toContainEqual(
      expect.stringContaining('supervise: The agent is not started again: it was restarted 2 times'),
    )
    const [row] = (await world.icebox.bottles.list(new AbortController().signal)).filter(
      (bottle) => bottle.slug === slug,
    )
    expect(row?.state).toBe('failed')
  })

  test('the end is frozen by rule, once, and a stop by a person is no reason for a restart', async () => {
    await world.agent(
      'keeper',
      `runtime: terminal
restart: { policy: always, max_retries: 3, ${FAST} }
auto_freeze: { on_exit: true }`,
    )
    const slug = await world.begin('keeper')
    await ready(slug)
    await world.say(slug, '!write kept.txt precious')
    await until('it has written', async () =>
      (await world.lines(world.icebox.root.path('state', slug, 'live/workspace/kept.txt'))).includes(
        'precious',
      ),
    )
    await world.icebox.bottles.stop(slug, {}, world.context())
    const [snapshot] = await until('it is frozen', async () => {
      const all = await world.snapshots(slug)
      return all.length > 0 && all
    })
    expect(snapshot).toMatchObject({ reason: 'rule', note: 'Frozen when the agent was stopped.' })
    expect((await world.newestRun(slug)).exit).not.toBeNull()
    expect(
      await world.lines(
        world.icebox.root.path('state', slug, 'snapshots', `${snapshot?.id}.d/workspace/kept.txt`),
      ),
    ).toEqual(['precious'])
    // A further look at everything finds nothing more to do.
    await world.icebox.bottles.freeze({ slug, reason: 'rule' }, world.context())
    expect(await world.snapshots(slug)).toHaveLength(1)
    expect((await world.life(slug)).filter((line) => line.startsWith('start'))).toHaveLength(1)
  })

  test('a full context is frozen and compacted when the agent is idle, and the hook is told what came of it', async () => {
    const hooks = join(world.home.dir, 'compacted')
    await world.agent(
      'thinker',
      `runtime: terminal
context_management: { strategy: compact, trigger_at_percent: 60, check_interval_seconds: 1 }
hooks: { on_compact: ['echo "$ICEBOX_HOOK_CTX_OK" >> ${hooks}'] }`,
    )
    const slug = await world.begin('thinker')
    await ready(slug)
    await world.say(slug, '!tokens 150000')
    await until('it was compacted', async () => (await world.lines(hooks)).length > 0)
    expect(await world.lines(hooks)).toEqual(['true'])
    const after = await until('the sample tells', async () => {
      const sample = await world.sample(slug)
      return sample?.state === 'waiting' && (sample.contextPercent ?? 0) < 60 && sample
    })
    expect(after.state).toBe('waiting')
    expect((await world.snapshots(slug)).map(({ reason, note }) => [reason, note])).toEqual([
      ['rule', expect.stringContaining('% of the context is used')],
    ])
  })

  test('weakness 05: what watched a stopped launch is gone before the next one is watched', async () => {
    const looks: string[] = []
    const own = await makeSupervisedWorld({ settle: 0.1 })
    try {
      await own.supervise({
        parts: {
          createObserver: async (agent) => {
            const { createObserver } = await import('../../../src-main/agents/observe/observer.ts')
            const observer = createObserver(agent)
            return {
              look: (reason, signal, exitCode) => {
                looks.push(agent.startedAt)
                return observer.look(reason, signal, exitCode)
              },
            }
          },
        },
      })
      await own.agent('twice', 'runtime: terminal\nhealth: { enabled: true, interval: 1 }')
      const slug = await own.begin('twice')
      await until('it waits', async () => (await own.sample(slug))?.state === 'waiting')
      const first = await own.newestRun(slug)
      await own.icebox.bottles.restart(slug, own.context())
      const second = await own.newestRun(slug)
      expect(second.id).toBe(first.id)
      const since = (key: string) => looks.filter((at) => at === key).length
      await until('the new one is looked at', async () => since(second.startedAt) > 0)
      await until(
        'it is ready',
        async () => (await own.life(slug)).filter((line) => line === 'ready').length === 2,
      )
      const before = since(first.startedAt)
      expect(before).toBeGreaterThan(0)
      await own.say(slug, 'hello')
      await until('it answered', async () => (await own.sample(slug))?.lastUserMessage === 'hello')
      // The end of the first launch was told to whoever waited, and is none of the second.
      expect((await own.newestRun(slug)).exit).toBeNull()
      expect(since(first.startedAt)).toBe(before)
    } finally {
      await own.dispose()
    }
  })

  test('weakness 06: a restart by rule ends the old process for good before the new one begins', async () => {
    const trail = world.icebox.root.path('state', 'stubborn', 'live/workspace/trail')
    // It answers no polite signal, and tells when it begins.
    await world.home.writeAgent(
      'stubborn',
      `provider: custom
bottle: box
runtime: terminal
command:
  interactive: [sh, -c, 'trap "" TERM HUP INT; echo begun >> trail; echo ready; while :; do sleep 1; done']
  resume: [sh, -c, 'trap "" TERM HUP INT; echo begun >> trail; echo ready; while :; do sleep 1; done']
restart: { policy: always, max_retries: 3, ${FAST} }`,
    )
    const slug = await world.begin('stubborn')
    await until('it runs', async () => (await world.lines(trail)).length === 1)
    const { ref } = await world.newestRun(slug)
    const identity = ref?.facts.identity as Parameters<typeof isAlive>[0]
    await world.icebox.bottles.restart(slug, world.context())
    // Released means gone: nothing of the old run lives once the restart has come back.
    expect(await isAlive(identity)).toBe(false)
    await until('it runs again', async () => (await world.lines(trail)).length === 2)
    expect(await world.lines(trail)).toEqual(['begun', 'begun'])
    const done = await world.icebox.bottles.stop(slug, { graceSeconds: 1 }, world.context())
    expect(done.done).toEqual([`stopped ${slug}`])
    const last = (await world.newestRun(slug)).ref?.facts.identity as Parameters<typeof isAlive>[0]
    expect(await isAlive(last)).toBe(false)
    expect((await world.newestRun(slug)).exit).not.toBeNull()
  })

  test('a definition may ask for a freeze before its bottle is destroyed', async () => {
    await world.agent('farewell', 'runtime: terminal\nauto_freeze: { before_destroy: true }')
    const slug = await world.begin('farewell')
    await ready(slug)
    await world.icebox.bottles.destroy({ slug }, world.context())
    await world.icebox.bottles.undo(slug, world.context())
    expect((await world.snapshots(slug)).map(({ reason }) => reason)).toEqual(['before-destroy'])
  })

  test('a detached supervisor ends a while after its last agent, and not before', async () => {
    const own = await makeSupervisedWorld({ settle: 0.1 })
    try {
      await own.agent('brief', 'runtime: terminal')
      let isDone = false
      const supervisor = await own.supervise({
        kind: 'detached',
        lingerMs: 5000,
        onChange: (generation) => {
          isDone = generation === null
        },
      })
      const slug = await own.begin('brief')
      await until('it waits', async () => (await own.sample(slug))?.state === 'waiting')
      expect(isDone).toBe(false)
      await own.say(slug, '!exit')
      await until('it has ended', async () => isDone)
      expect((await own.newestRun(slug)).exit?.code).toBe(0)
      expect(supervisor.warnings).toEqual([])
    } finally {
      await own.dispose()
    }
  })
})
