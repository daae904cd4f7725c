import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
})
