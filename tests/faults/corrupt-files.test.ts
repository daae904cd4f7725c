import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'

const GARBAGE = ['', '{"half":', '\0\u0001\u0002 binary', '[]', 'null']

describe('damaged files', () => {
  let image = ''
  let world: World
  let slug = ''
  let snapshot = ''
  const path = (...parts: string[]) => join(world.home.dir, 'state', slug, ...parts)

  beforeAll(async () => {
    image = await makeWorldImage()
  })
  beforeEach(async () => {
    world = await makeWorld('docker', image, { inProcess: true })
    slug = await world.start('one')
    const { json } = await world.home.must(['freeze', slug])
    snapshot = (json as { snapshot: { id: string } }).snapshot.id
  })
  afterEach(() => world.end())
  afterAll(() => removeWorldImage(image))

  test('metadata: the bottle is shown as damaged, nothing is done to it, and mending it brings it back', async () => {
    const good = await readFile(path('metadata.json'))
    for (const garbage of GARBAGE) {
      await writeFile(path('metadata.json'), garbage)
      const [bottle] = await world.list()
      expect(bottle?.badges, JSON.stringify(garbage)).toContain('corrupt-metadata')
      const frozen = await world.home.icebox(['freeze', slug])
      expect(frozen.errorCode, JSON.stringify(garbage)).toBe('corrupt-state')
      const resumed = await world.home.icebox(['resume', slug, '--headless', '--prompt', 'x', '--rebuild-ok'])
      expect(resumed.errorCode, JSON.stringify(garbage)).toBe('corrupt-state')
      expect(await readFile(path('metadata.json'), 'utf8')).toBe(garbage)
    }
    await world.home.icebox(['cleanup', '--yes'])
    await writeFile(path('metadata.json'), good)
    expect(await world.markersIn(slug, snapshot)).toContain('one')
  })

  test('a snapshot record: lost or damaged, it is rebuilt from the image', async () => {
    await writeFile(path('snapshots', `${snapshot}.json`), '{"half":')
    expect(await world.list()).toHaveLength(1)
    await world.home.must(['cleanup', '--yes'])
    expect((await world.snapshots(slug)).map(({ id }) => id)).toEqual([snapshot])
    await rm(path('snapshots', `${snapshot}.json`))
    await world.home.must(['cleanup', '--yes'])
    expect(await world.markersIn(slug, snapshot)).toContain('one')
  })

  test('committed-image: one that names nothing is never taken for "no snapshot"', async () => {
    for (const garbage of ['', 'no-such-image:1\n', '\0']) {
      await writeFile(path('committed-image'), garbage)
      expect(await world.list()).toHaveLength(1)
      const result = await world.home.icebox(['resume', slug, '--headless', '--prompt', 'two'])
      // Either the work is there, or the command refuses: a fresh start would be a loss.
      if (result.code === 0) expect(await world.notes(slug)).toContain('one')
      else expect(['snapshot-missing', 'corrupt-state']).toContain(result.errorCode)
    }
    expect(await world.markersIn(slug, snapshot)).toContain('one')
  })

  test('intent and journal: the next command goes on', async () => {
    await writeFile(path('intent.json'), '{"half":')
    await writeFile(path('events.jsonl'), '{"half":\n\0\n')
    expect(await world.list()).toHaveLength(1)
    expect(await world.problems()).toEqual([])
    await world.home.must(['freeze', slug])
    await world.home.must(['info', slug])
  })

  test('a lock that holds nothing is a ruin, not a holder', async () => {
    await writeFile(join(world.home.dir, 'icebox/locks', `${slug}.lock`), '')
    await world.home.must(['freeze', slug])
    expect(await readdir(join(world.home.dir, 'icebox/locks'))).toEqual([])
  })

  test('the root id: every command refuses, since nobody can tell any more what is ours', async () => {
    const file = join(world.home.dir, 'icebox/root.json')
    const good = await readFile(file)
    await writeFile(file, '{')
    for (const args of [['list'], ['freeze', slug], ['cleanup', '--yes'], ['destroy', slug, '--yes']]) {
      const result = await world.home.icebox(args)
      expect({ args, code: result.code, error: result.errorCode }).toEqual({
        args,
        code: 1,
        error: 'corrupt-state',
      })
    }
    await writeFile(file, good)
    expect(await world.markersIn(slug, snapshot)).toContain('one')
  })
})
