import { stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ArtifactScene,
  allProblems,
  copyReference,
  exportsTheSame,
  freeze,
  makeArtifactScene,
} from '../support/fault-artifacts.ts'
import { makeWorld, makeWorldImage, removeWorldImage, type World } from '../support/fault-world.ts'
import type { CliResult } from '../support/icebox-home.ts'
import { emptyStore, fileDigest } from '../support/store-check.ts'

const endOf = ({ code, errorCode }: CliResult) => (code === 0 ? 'done' : errorCode)

describe.each(['docker', 'host'] as const)('processes at one store, bottles on %s', (kind) => {
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

  const exporting = (name: string, snapshot = scene.second) =>
    scene.world.crowd.icebox(['export', `${scene.slug}@${snapshot}`, '-o', scene.path(name), '--force'])

  test('two exports of one snapshot, also to one file, are the same bytes', async () => {
    await emptyStore(scene.world.home.dir)
    const results = await Promise.all(['a', 'b', 'b'].map((name) => exporting(name)))
    expect(results.map(endOf)).toEqual(['done', 'done', 'done'])
    expect(await fileDigest(scene.path('a'))).toBe(scene.digest)
    expect(await fileDigest(scene.path('b'))).toBe(scene.digest)
    expect(await allProblems(scene)).toEqual([])
  })

  test('an export while the bottle is resumed and frozen', async () => {
    const { world, slug } = scene
    await emptyStore(world.home.dir)
    const [exported, resumed] = await Promise.all([
      exporting('meanwhile'),
      world.crowd.icebox(['resume', slug, '--headless', '--prompt', 'three']),
      world.crowd.icebox(['freeze', slug]),
    ])
    expect([exported, resumed].map(endOf)).toEqual(['done', 'done'])
    expect(await fileDigest(scene.path('meanwhile'))).toBe(scene.digest)
    expect(await allProblems(scene)).toEqual([])
  })

  test('an export while its snapshot is deleted is whole, or says what became of it', async () => {
    const { world, slug } = scene
    const { home, crowd } = world
    const doomed = await freeze(world, slug)
    await home.must(['resume', slug, '--headless', '--prompt', 'later'])
    await freeze(world, slug)
    await emptyStore(home.dir)
    const [exported, deleted] = await Promise.all([
      exporting('doomed', doomed),
      crowd.icebox(['prune', `${slug}@${doomed}`, '--yes']),
    ])
    expect(endOf(deleted)).toBe('done')
    expect(['done', 'snapshot-missing']).toContain(endOf(exported))
    if (exported.code === 0) expect((await stat(scene.path('doomed'))).size).toBeGreaterThan(10_000)
    else await expect(stat(scene.path('doomed'))).rejects.toThrow('ENOENT')
    expect(await allProblems(scene)).toEqual([])
  })

  test('collections while snapshots are exported and imported take nothing that is needed', async () => {
    const { home, crowd } = scene.world
    await emptyStore(home.dir)
    const file = await copyReference(scene, 'crowded.bottle')
    let isOver = false
    const collecting = (async () => {
      const ends: (string | undefined)[] = []
      while (!isOver) ends.push(endOf(await crowd.icebox(['prune', '--last', '50', '--yes'])))
      return ends
    })()
    const results = await Promise.all([
      exporting('collected'),
      crowd.icebox(['import', file, '--label', 'crowd-a']),
      crowd.icebox(['import', file, '--label', 'crowd-a']),
    ])
    isOver = true
    expect(results.map(endOf)).toEqual(['done', 'done', 'done'])
    expect(new Set(await collecting)).toEqual(new Set(['done']))
    expect(await fileDigest(scene.path('collected'))).toBe(scene.digest)
    const slugs = results.slice(1).map(({ json }) => (json as { readonly slug: string }).slug)
    expect(slugs.toSorted()).toEqual(['crowd-a', 'crowd-a-2'])
    expect(await allProblems(scene)).toEqual([])
    // Both are whole: one runs, and of the other everything is there to leave again.
    await home.must(['resume', 'crowd-a', '--headless', '--prompt', 'three'])
    expect(await scene.world.notes('crowd-a')).toEqual(['one', 'two', 'three'])
    await home.must(['export', 'crowd-a-2', '-o', scene.path('left.bottle')])
    expect(await exportsTheSame(scene, 'collected')).toBe(true)
    for (const slug of slugs) await home.must(['destroy', slug, '--purge', '--yes'])
    expect(await allProblems(scene)).toEqual([])
  })
})
