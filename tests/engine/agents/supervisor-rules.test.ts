import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src-main/bottles/supervise/wheel.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../../support/supervised-world.ts'

/** A clock on which a minute of a rule lasts a second. */
const FAST = 60

describe('rules of an agent of this machine', () => {
  let world: SupervisedWorld

  beforeAll(async () => {
    world = await makeSupervisedWorld({ settle: 0.1 })
    const since = Date.now()
    await world.supervise({
      clock: {
        now: () => since + (Date.now() - since) * FAST,
        after: (ms, run) => systemClock.after(Math.max(10, ms / FAST), run),
      },
    })
  })
  afterAll(() => world.dispose())

  const begin = async (name: string, front: string): Promise<string> => {
    await world.agent(name, `runtime: terminal\n${front}`)
    return world.begin(name)
  }
  const frozen = (slug: string) =>
    until(`${slug} is frozen`, async () => {
      const all = await world.snapshots(slug)
      return all.length > 0 && all.map(({ reason, note }) => [reason, note])
    })
  const ready = (slug: string) =>
    until(`${slug} waits`, async () => (await world.sample(slug))?.state === 'waiting')

  test('one that rests is frozen, once', async () => {
    const slug = await begin('rester', 'auto_freeze: { idle_minutes: 2 }')
    expect(await frozen(slug)).toEqual([['rule', 'Frozen after 2 minutes without work.']])
    expect((await world.newestRun(slug)).exit).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(await world.snapshots(slug)).toHaveLength(1)
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
  })

  test('one that says something is frozen as the time goes on', async () => {
    const slug = await begin('talker', 'auto_freeze: { every_minutes: 3 }')
    expect((await frozen(slug))[0]).toEqual(['rule', 'Frozen as every 3 minutes.'])
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
  })

  test('one whose context fills up is frozen', async () => {
    const slug = await begin('filler', 'auto_freeze: { context_percent: 60 }')
    await ready(slug)
    await world.say(slug, '!tokens 150000')
    expect(await frozen(slug)).toEqual([
      ['rule', expect.stringMatching(/^Frozen as \d+ % of the context is/)],
    ])
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
  })

  test('one whose context is full is frozen, and begins a new conversation', async () => {
    const slug = await begin(
      'renewed',
      'context_management: { strategy: restart, trigger_at_percent: 60, check_interval_seconds: 1 }',
    )
    await ready(slug)
    const first = await world.newestRun(slug)
    await world.say(slug, '!tokens 150000')
    const second = await until('it runs again', async () => {
      const run = await world.newestRun(slug)
      return run.startedAt !== first.startedAt && run.exit === null && run
    })
    expect(second.id).toBe(first.id)
    await until('it has room', async () => {
      const sample = await world.sample(slug)
      return sample?.state === 'waiting' && (sample.contextPercent ?? 0) < 60
    })
    // One more for each time that it was at work again when the freeze was done.
    expect(new Set((await world.snapshots(slug)).map(({ reason }) => reason))).toEqual(new Set(['rule']))
    expect((await world.life(slug)).filter((line) => line.startsWith('start'))).toHaveLength(2)
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
  })
})
