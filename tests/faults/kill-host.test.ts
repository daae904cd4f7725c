import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findFaultPoints } from '../support/fault-points.ts'
import { makeWorld, type World } from '../support/fault-world.ts'
import { ARTIFACT_SCENARIOS } from './kill-artifact-scenarios.ts'
import { KILL_SCENARIOS } from './kill-scenarios.ts'
import { SUPERVISE_SCENARIOS } from './kill-supervise-scenarios.ts'

const points = (await findFaultPoints()).filter((point) => point.backends.includes('host'))

test('every fault point has a scenario', () => {
  expect(points.length).toBeGreaterThan(10)
  const known = { ...KILL_SCENARIOS, ...ARTIFACT_SCENARIOS, ...SUPERVISE_SCENARIOS }
  expect(points.filter((point) => !known[point.operation]).map((point) => point.name)).toEqual([])
})

describe('kill -9 on host', () => {
  let world: World

  beforeEach(async () => {
    world = await makeWorld('host', '')
  })
  afterEach(() => world.end())

  const own = points.filter((point) => KILL_SCENARIOS[point.operation])
  test.each(own)('at $name', async ({ name, operation }) => {
    await KILL_SCENARIOS[operation]?.(world, name)
  })
})
