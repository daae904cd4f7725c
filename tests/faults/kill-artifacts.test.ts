import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ArtifactScene, allProblems, makeArtifactScene } from '../support/fault-artifacts.ts'
import { findFaultPoints } from '../support/fault-points.ts'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'
import { ARTIFACT_SCENARIOS } from './kill-artifact-scenarios.ts'

const points = (await findFaultPoints()).filter((point) => ARTIFACT_SCENARIOS[point.operation])

// One bottle bears all of it: what one death left would be seen after the next.
describe.each(['docker', 'host'] as const)('kill -9 around artifacts on %s', (kind) => {
  let image = ''
  let world: World | undefined
  let scene: ArtifactScene

  beforeAll(async () => {
    image = kind === 'docker' ? await makeWorldImage() : ''
    world = await makeWorld(kind, image, { inProcess: true })
    scene = await makeArtifactScene(world)
  })
  afterAll(async () => {
    await world?.end()
    if (image) await removeWorldImage(image)
  })

  test.each(points.filter((point) => point.backends.includes(kind)))('at $name', async (point) => {
    await ARTIFACT_SCENARIOS[point.operation]?.(scene, point.name)
  })

  test('the snapshots still resume', async () => {
    const { slug, first, second } = scene
    expect(await scene.world.markersIn(slug, first)).toEqual(['one', 'probe'])
    expect(await scene.world.markersIn(slug, second)).toEqual(['one', 'two', 'probe'])
    expect(await allProblems(scene)).toEqual([])
  })
})
