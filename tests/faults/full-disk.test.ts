import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  makeWorld,
  makeWorldImage,
  removeWorldImage,
  type World,
  type WorldKind,
} from '../support/fault-world.ts'
import { makeMemoryDisk, type SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts'

describe.each(['docker', 'host'] as const)('a full state root, bottles on %s', (kind: WorldKind) => {
  let image = ''
  let disk: SmallDisk | undefined
  let world: World | undefined

  beforeAll(async () => {
    image = await makeWorldImage()
  })
  afterEach(async () => {
    await disk?.drain()
    await world?.end()
    await disk?.remove()
  })
  afterAll(() => removeWorldImage(image))

  test('every command says so, and nothing is lost', async ({ skip }) => {
    const why = whyNoSmallDisk()
    skip(why !== null, why ?? '')
    disk = await makeMemoryDisk(16)
    world = await makeWorld(kind, image, { at: disk.dir, inProcess: true })
    const slug = await world.start('one')
    await world.home.must(['freeze', slug])
    await disk.fill(0)

    const attempts = [
      ['freeze', slug],
      ['resume', slug, '--headless', '--prompt', 'two'],
      ['start', world.worker, '--headless', '--prompt', 'x'],
    ]
    for (const args of attempts) {
      const result = await world.home.icebox(args)
      expect({ args, code: result.code, error: result.errorCode }).toEqual({
        args,
        code: 1,
        error: 'disk-full',
      })
      expect(result.stderr).not.toMatch(/\n\s+at /)
    }
    // A list needs no space.
    expect((await world.list()).map((bottle) => bottle.slug)).toEqual([slug])

    await disk.drain()
    expect(await world.problems()).toEqual([])
    await world.home.must(['resume', slug, '--headless', '--prompt', 'three'])
    await world.home.must(['freeze', slug])
    const held = await world.markersHeld(slug)
    expect(held.size).toBeGreaterThan(1)
    for (const markers of held.values()) expect(markers).toContain('one')
  })
})
