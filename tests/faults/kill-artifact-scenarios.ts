import { stat } from 'node:fs/promises'
import { expect } from 'vitest'
import type { TrashEntry } from '../../src-preload/contract/entities.ts'
import {
  type ArtifactScene,
  allProblems,
  copyReference,
  engineScraps,
  exportsTheSame,
  freeze,
  partialsOf,
} from '../support/fault-artifacts.ts'
import { dieAt } from '../support/fault-world.ts'
import { emptyStore } from '../support/store-check.ts'

type Scenario = (scene: ArtifactScene, fault: string) => Promise<void>

const slugsOf = async ({ world }: ArtifactScene) => (await world.list()).map((bottle) => bottle.slug)
const idsOf = async ({ world, slug }: ArtifactScene) => (await world.snapshots(slug)).map(({ id }) => id)
const freezeNow = ({ world, slug }: ArtifactScene) => freeze(world, slug)
const trashOf = async ({ world }: ArtifactScene) =>
  (await world.home.must(['trash', 'list'])).json as readonly TrashEntry[]

const diesInExport: Scenario = async (scene, fault) => {
  const { world, slug, second } = scene
  await emptyStore(world.home.dir)
  const name = `${fault.replace(':', '-')}.bottle`
  const target = scene.path(name)
  await dieAt(world, fault, ['export', `${slug}@${second}`, '-o', target])
  await expect(stat(target)).rejects.toThrow('ENOENT')
  // What was done is taken up again, and what was begun beside the target goes.
  expect(await exportsTheSame(scene, name)).toBe(true)
  expect(await partialsOf(target)).toEqual([])
  expect(await allProblems(scene)).toEqual([])
}

/** From here on an import has made a whole bottle. */
const WHOLE: ReadonlySet<string> = new Set(['import:after-switch', 'import:after-name', 'import:after-clear'])

const diesInImport: Scenario = async (scene, fault) => {
  const { world } = scene
  const before = await slugsOf(scene)
  const label = fault.replace(':', '-')
  const file = await copyReference(scene, `${label}.bottle`)
  await dieAt(world, fault, ['import', file, '--label', label])
  // The next command, whatever it is, makes it whole or takes it back.
  expect(await world.problems()).toEqual([])
  const wanted = WHOLE.has(fault) ? [...before, label] : before
  expect((await slugsOf(scene)).toSorted()).toEqual(wanted.toSorted())
  const again = (await world.home.must(['import', file, '--label', label])).json as { readonly slug: string }
  expect(again.slug).toBe(WHOLE.has(fault) ? `${label}-2` : label)
  expect(await allProblems(scene)).toEqual([])
  if (!WHOLE.has(fault)) return
  // What the dead command made.
  await world.home.must(['resume', label, '--headless', '--prompt', 'three'])
  expect(await world.notes(label)).toEqual(['one', 'two', 'three'])
}

const diesInVerify: Scenario = async (scene, fault) => {
  const { world, slug } = scene
  const { home } = world
  await dieAt(world, fault, ['verify', slug])
  expect(await world.problems()).toEqual([])
  await home.must(['verify', slug])
  expect(await engineScraps((await home.rootId()) ?? '')).toEqual([])
}

const diesInDelete: Scenario = async (scene, fault) => {
  const { world, slug, first } = scene
  const { home } = world
  // Only the current one's deletion switches to another.
  const doomed = fault === 'delete-snapshot:after-switch' ? await freezeNow(scene) : first
  await dieAt(world, fault, ['prune', `${slug}@${doomed}`, '--yes'])
  expect(await world.problems()).toEqual([])
  if ((await idsOf(scene)).includes(doomed)) {
    // Still the bottle's: what the trash has of it is a copy, and emptying it takes nothing away.
    await home.must(['trash', 'empty', '--yes'])
    expect(await idsOf(scene)).toContain(doomed)
    expect(await world.markersIn(slug, doomed)).toContain('one')
    await home.must(['prune', `${slug}@${doomed}`, '--yes'])
  }
  expect(await idsOf(scene)).not.toContain(doomed)
  const [entry] = await trashOf(scene)
  await home.must(['trash', 'undo', entry?.id ?? ''])
  expect(await world.markersIn(slug, doomed)).toContain('one')
}

const diesInUndo: Scenario = async (scene, fault) => {
  const { world, slug, first, second } = scene
  const { home } = world
  await home.must(['prune', `${slug}@${first}`, '--yes'])
  const [entry] = await trashOf(scene)
  await dieAt(world, fault, ['trash', 'undo', entry?.id ?? ''])
  expect(await world.problems()).toEqual([])
  expect(await idsOf(scene)).toEqual(expect.arrayContaining([first, second]))
  await home.must(['trash', 'empty', '--yes'])
  expect(await trashOf(scene)).toEqual([])
  expect(await world.markersIn(slug, first)).toContain('one')
}

/** The operation on artifacts that a fault point belongs to → how it is brought there and what must hold afterwards. */
export const ARTIFACT_SCENARIOS: Readonly<Record<string, Scenario>> = {
  export: diesInExport,
  import: diesInImport,
  verify: diesInVerify,
  'delete-snapshot': diesInDelete,
  'undo-snapshot': diesInUndo,
}
