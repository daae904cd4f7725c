import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FaultPoint, findFaultPoints } from '../support/fault-points.ts'
import {
  makeWorld,
  makeWorldImage,
  removeWorldImage,
  type World,
  type WorldKind,
} from '../support/fault-world.ts'
import { ARTIFACT_SCENARIOS } from './kill-artifact-scenarios.ts'
import { diesInCarry, KILL_SCENARIOS } from './kill-scenarios.ts'
import { SUPERVISE_SCENARIOS } from './kill-supervise-scenarios.ts'

/** Operations that bring a new run about; the others work on what is there. In two files each, for balance. */
const LAUNCHES: ReadonlySet<string> = new Set(['start', 'resume', 'fork', 'carry'])

export type KillPart = 'launches' | 'others'

/** Points of one backend whose scenario belongs to a part, and those that have none at all. */
async function pointsOf(
  kind: WorldKind,
  part: KillPart,
): Promise<{ readonly own: readonly FaultPoint[]; readonly unknown: readonly string[] }> {
  const points = (await findFaultPoints()).filter(({ backends }) => backends.includes(kind))
  const known = { ...KILL_SCENARIOS, ...ARTIFACT_SCENARIOS, ...SUPERVISE_SCENARIOS }
  return {
    own: points.filter(
      ({ operation }) => KILL_SCENARIOS[operation] && LAUNCHES.has(operation) === (part === 'launches'),
    ),
    unknown: points.filter(({ operation }) => !known[operation]).map(({ name }) => name),
  }
}

/** Declares the tests of one backend and part: a command dies at each of its points, and nothing is lost or left. */
export async function declareKills(kind: WorldKind, part: KillPart): Promise<void> {
  const { own, unknown } = await pointsOf(kind, part)

  test('every fault point has a scenario', () => {
    expect(own.length).toBeGreaterThan(kind === 'host' && part === 'launches' ? 8 : 10)
    expect(unknown).toEqual([])
  })

  describe(`kill -9 on ${kind}`, () => {
    let image = ''
    let world: World

    beforeAll(async () => {
      if (kind === 'docker') image = await makeWorldImage()
    })
    beforeEach(async () => {
      world = await makeWorld(kind, image, { inProcess: true })
    })
    afterEach(() => world.end())
    afterAll(async () => {
      if (kind === 'docker') await removeWorldImage(image)
    })

    if (kind === 'docker' && part === 'launches') {
      test.each(['resume:after-launch', 'resume:after-record', 'resume:after-current'])(
        'on the way to another backend, at %s',
        async (fault) => diesInCarry(world, fault),
      )
    }

    test.each(own)('at $name', async ({ name, operation }) => {
      await KILL_SCENARIOS[operation]?.(world, name)
    })
  })
}
