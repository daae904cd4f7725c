import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaseHolder } from '../../src-main/bottles/supervise/lease.ts'
import { isAlive } from '../../src-main/system/process-identity.ts'
import { endProcess } from '../support/child.ts'
import { findFaultPoints } from '../support/fault-points.ts'
import { makeSupervisedWorld, type SupervisedWorld, until } from '../support/supervised-world.ts'
import { superviseChild } from '../support/supervisor-child.ts'
import {
  beginPhoenix,
  diesAtWork,
  isReady,
  LAUNCH_POINTS,
  SUPERVISE_SCENARIOS,
  starts,
} from './kill-supervise-scenarios.ts'

const points = (await findFaultPoints()).filter(({ operation }) => SUPERVISE_SCENARIOS[operation])

describe('a supervisor is killed', () => {
  let world: SupervisedWorld

  beforeAll(async () => {
    world = await makeSupervisedWorld({ settle: 0.1 })
  })
  afterAll(async () => {
    const left = await leaseHolder(world.icebox.root)
    if (left?.holder && left.holder.pid !== process.pid) endProcess(left.holder.pid)
    await world.dispose()
  })

  test('all its points are tried', () => {
    expect(points.length).toBeGreaterThan(3)
  })

  test.each(points)('at $name', async ({ name, operation }) => {
    await SUPERVISE_SCENARIOS[operation]?.(world, name)
  })

  test.each(LAUNCH_POINTS)('at %s of a restart', async (point) => {
    await diesAtWork(world, point)
  })

  test('at random moments: every crash is followed by one launch, and no hook comes twice', async () => {
    const opening = await superviseChild(world.icebox.root, world.env)
    const { slug, hooks } = await beginPhoenix(world, 'random')
    let supervisor = opening
    const crashes = 4
    for (let n = 1; n <= crashes; n++) {
      await isReady(world, slug, n)
      await world.say(slug, `!crash ${n}`)
      for (let kill = 0; kill < 3; kill++) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 700))
        await supervisor.kill()
        supervisor = await superviseChild(world.icebox.root, world.env)
      }
    }
    await isReady(world, slug, crashes + 1)
    await until('it is recorded', async () => (await world.newestRun(slug)).exit === null)
    const attempts = await world.lines(hooks)
    expect(new Set(attempts).size).toBe(attempts.length)
    expect(attempts.length).toBeLessThanOrEqual(crashes)
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
    await until('the stop is seen', async () => (await world.snapshots(slug)).length > crashes)
    expect(await starts(world, slug)).toBe(crashes + 1)
    await supervisor.kill()
  })

  test('weakness 03: a start from a command leaves a supervisor of its own, which another one follows', async () => {
    await world.agent(
      'alone',
      'runtime: terminal\nrestart: { policy: on-failure, backoff: { initial: 0.1, max: 1 } }',
    )
    const { json } = await world.home.must(
      ['start', 'alone', '--label', 'alone', '--allow-missing-secrets'],
      {
        env: { PATH: world.env.PATH ?? '' },
      },
    )
    const { slug } = json as { slug: string }
    const holder = await until('somebody looks after it', () => leaseHolder(world.icebox.root))
    expect(holder.kind).toBe('detached')
    await isReady(world, slug, 1)
    await until('it is seen', async () => (await world.sample(slug))?.state === 'waiting')
    if (holder.holder) endProcess(holder.holder.pid)
    await until('nobody does', async () => (await leaseHolder(world.icebox.root)) === null)
    // The agent goes on, and what happens meanwhile is made up for.
    await world.say(slug, '!crash 5')
    const { ref } = await world.newestRun(slug)
    const identity = ref?.facts.identity as Parameters<typeof isAlive>[0]
    await until('it has crashed', async () => !(await isAlive(identity)))
    const next = await superviseChild(world.icebox.root, world.env)
    await isReady(world, slug, 2)
    await next.kill()
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
  })

  test('weakness 07: of two supervisors one acts: an app takes over, and what was there ends by itself', async () => {
    const detached = await superviseChild(world.icebox.root, world.env)
    const { slug, hooks } = await beginPhoenix(world, 'twofold')
    const before = await leaseHolder(world.icebox.root)
    const app = await world.supervise()
    const late = await superviseChild(world.icebox.root, world.env, 'none')
    expect(await late.ended).toBe(0)
    expect((await leaseHolder(world.icebox.root))?.generation).toBeGreaterThan(before?.generation ?? 0)
    await world.say(slug, '!crash 6')
    await isReady(world, slug, 2)
    expect(await detached.ended).toBe(0)
    expect(await world.lines(hooks)).toEqual(['1'])
    expect(app.warnings).toEqual([])
    // The app ends; the agent goes on, and it is told that somebody has to look after it.
    expect(await app.stop()).toBe(1)
    expect(await leaseHolder(world.icebox.root)).toBeNull()
    expect((await world.newestRun(slug)).exit).toBeNull()
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
    expect(await starts(world, slug)).toBe(2)
  })

  test('an app that is killed is followed by the next, and one that ends leaves a supervisor behind', async () => {
    const serve = () =>
      superviseChild(world.icebox.root, world.env, undefined, ['serve', '--no-open', '--port', '0'])
    const first = await serve()
    const { slug, hooks } = await beginPhoenix(world, 'served')
    await first.kill()
    await world.say(slug, '!crash 7')
    const second = await serve()
    expect((await leaseHolder(world.icebox.root))?.kind).toBe('serve')
    await isReady(world, slug, 2)
    expect(await world.lines(hooks)).toEqual(['1'])
    await until('it is recorded', async () => (await world.newestRun(slug)).exit === null)
    await second.end()
    const heir = await until('somebody goes on', () => leaseHolder(world.icebox.root))
    expect(heir.kind).toBe('detached')
    await world.say(slug, '!crash 8')
    await isReady(world, slug, 3)
    expect(await world.lines(hooks)).toEqual(['1', '2'])
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
    if (heir.holder) endProcess(heir.holder.pid)
  })
})
