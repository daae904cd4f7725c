import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  makeWorld,
  makeWorldImage,
  removeWorldImage,
  type World,
  type WorldKind,
} from '../support/fault-world.ts'

let image = ''
let world: World

beforeAll(async () => {
  image = await makeWorldImage()
})
afterEach(() => world.end())
afterAll(() => removeWorldImage(image))

describe.each(['docker', 'host'] as const)('on %s', (kind: WorldKind) => {
  test('three processes freezing one bottle: each gets a whole snapshot or is told who is at it', async () => {
    world = await makeWorld(kind, image, { inProcess: true })
    const slug = await world.start('one')
    const results = await Promise.all([1, 2, 3].map(() => world.crowd.icebox(['freeze', slug])))
    const codes = results.map((result) => (result.code === 0 ? 'done' : result.errorCode))
    expect(codes).toContain('done')
    expect(codes.filter((code) => code !== 'done' && code !== 'busy')).toEqual([])
    expect(await world.problems()).toEqual([])
    const held = await world.markersHeld(slug)
    const told = results.flatMap(
      ({ json }) => (json as { snapshot?: { id: string } } | undefined)?.snapshot?.id ?? [],
    )
    // An unchanged bottle needs no second snapshot, so two may be told of the same one.
    expect(new Set(held.keys())).toEqual(new Set(told))
    for (const markers of held.values()) expect(markers).toContain('one')
  })

  test('twenty bottles freeze at once', async () => {
    world = await makeWorld(kind, image, { inProcess: true })
    const slugs: string[] = []
    // Started four at a time: the subject is the freezing.
    for (let at = 0; at < 20; at += 4) {
      slugs.push(...(await Promise.all([0, 1, 2, 3].map((more) => world.start(`marker-${at + more}`)))))
    }
    expect(new Set(slugs).size).toBe(20)
    const results = await Promise.all(
      slugs.map((slug) => world.crowd.icebox(['freeze', slug], { timeout: 280_000 })),
    )
    expect(results.filter((result) => result.code !== 0).map((result) => result.stderr)).toEqual([])
    expect(await world.problems()).toEqual([])
    const bottles = await world.list()
    expect(bottles.filter((bottle) => bottle.snapshots === 1)).toHaveLength(20)
    const [first] = slugs
    const held = [...(await world.markersHeld(first ?? '')).values()]
    expect(held[0]?.some((marker) => marker.startsWith('marker-'))).toBe(true)
  })
})
