import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findFaultPoints } from '../support/fault-points.ts'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'
import { ARTIFACT_SCENARIOS } from './kill-artifact-scenarios.ts'
import { diesInCarry, KILL_SCENARIOS } from './kill-scenarios.ts'
import { SUPERVISE_SCENARIOS } from './kill-supervise-scenarios.ts'

const points = (await findFaultPoints()).filter((point) => point.backends.includes('docker'))

test('every fault point has a scenario', () => {
  expect(points.length).toBeGreaterThan(10)
  const known = { ...KILL_SCENARIOS, ...ARTIFACT_SCENARIOS, ...SUPERVISE_SCENARIOS }
  expect(points.filter((point) => !known[point.operation]).map((point) => point.name)).toEqual([])
})

describe('kill -9 on docker', () => {
  let image = ''
  let world: World

  beforeAll(async () => {
    image = await makeWorldImage()
  })
  beforeEach(async () => {
    world = await makeWorld('docker', image)
  })
  afterEach(() => world.end())
  afterAll(() => removeWorldImage(image))

  const own = points.filter((point) => KILL_SCENARIOS[point.operation])
  test.each(['resume:after-launch', 'resume:after-record', 'resume:after-current'])(
    'on the way to another backend, at %s',
    async (fault) => diesInCarry(world, fault),
  )

  test.each(own)('at $name', async ({ name, operation }) => {
    await KILL_SCENARIOS[operation]?.(world, name)
  })
})
