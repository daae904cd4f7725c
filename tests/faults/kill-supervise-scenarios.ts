import { join } from 'node:path'
import { expect } from 'vitest'
import { type SupervisedWorld, until } from '../support/supervised-world.ts'
import { superviseChild } from '../support/supervisor-child.ts'

type Scenario = (world: SupervisedWorld, fault: string) => Promise<void>

export const starts = async (world: SupervisedWorld, slug: string): Promise<number> =>
  (await world.life(slug)).filter((line) => line.startsWith('start')).length

/** Waits until the newest of so many launches can be talked to. */
export async function isReady(world: SupervisedWorld, slug: string, launches: number): Promise<void> {
  await until(`launch ${launches} is ready`, async () => {
    const life = await world.life(slug)
    const begun = life.filter((line) => line.startsWith('start')).length
    return (
      begun === launches &&
      life.slice(life.findLastIndex((line) => line.startsWith('start'))).includes('ready')
    )
  })
}

/** An agent that comes back after a crash, is frozen at its end and counts its restarts in a file. */
export async function beginPhoenix(
  world: SupervisedWorld,
  name: string,
): Promise<{ slug: string; hooks: string }> {
  const hooks = join(world.home.dir, `${name}-hooks`)
  await world.agent(
    name,
    `runtime: terminal
restart: { policy: on-failure, max_retries: 50, backoff: { initial: 0.1, max: 1, multiplier: 1, jitter: 0 } }
auto_freeze: { on_exit: true }
hooks: { on_restart: ['echo "$ICEBOX_HOOK_CTX_ATTEMPT" >> ${hooks}'] }`,
  )
  const slug = await world.begin(name)
  await isReady(world, slug, 1)
  return { slug, hooks }
}

/** The supervisor dies at the point; the next one brings the agent back, once, with its hook and its freeze once. */
export const diesAtWork: Scenario = async (world, fault) => {
  const name = `p-${fault.replace(/[^a-z]+/g, '-')}`
  const first = await superviseChild(world.icebox.root, world.env, `${fault}:kill`)
  const { slug, hooks } = await beginPhoenix(world, name)
  await world.say(slug, '!crash 4')
  expect(await first.ended).toBeNull()
  const second = await superviseChild(world.icebox.root, world.env)
  try {
    await isReady(world, slug, 2)
    await until('it is recorded', async () => (await world.newestRun(slug)).exit === null)
    expect(await world.lines(hooks)).toEqual(['1'])
    expect((await world.snapshots(slug)).filter(({ reason }) => reason === 'rule')).toHaveLength(1)
    // What is recorded is what runs: it can be ended, and then nothing of it is left.
    await world.icebox.bottles.stop(slug, { graceSeconds: 0 }, world.context())
    await until('its end is frozen', async () => (await world.snapshots(slug)).length === 2)
    expect(await starts(world, slug)).toBe(2)
    expect(await world.lines(hooks)).toEqual(['1'])
    // A supervisor that is killed before it noted its freeze makes it again, which would be the next test's death.
    await world.icebox.bottles.destroy({ slug, purge: true }, world.context())
  } finally {
    await second.kill()
  }
}

/** Points on the way of a launch, which a restart passes as well: each is a scenario of its own for starts. */
export const LAUNCH_POINTS = ['start:after-create', 'start:after-start'] as const

/** Operations of a supervisor, for the suites that go through all fault points. */
export const SUPERVISE_SCENARIOS: Readonly<Record<string, Scenario>> = {
  supervise: diesAtWork,
  restart: diesAtWork,
}
