import { join } from 'node:path'
import { expect } from 'vitest'
import { dieAt, diesAt, type World } from '../support/fault-world.ts'

type Scenario = (world: World, fault: string) => Promise<void>

/** Every snapshot of the bottle resumes and holds the marker. */
async function expectAllHold(world: World, slug: string, marker: string): Promise<void> {
  const held = await world.markersHeld(slug)
  expect(held.size).toBeGreaterThan(0)
  for (const [id, markers] of held) expect(markers, id).toContain(marker)
}

async function freeze(world: World, slug: string): Promise<string> {
  const { json } = await world.home.must(['freeze', slug])
  return (json as { snapshot: { id: string } }).snapshot.id
}

const diesInStart: Scenario = async (world, fault) => {
  await dieAt(world, fault, ['start', world.worker, '--headless', '--prompt', 'first'])
  expect(await world.problems()).toEqual([])
  // Whatever became of the first, another start works, and what is listed can be frozen.
  const slug = await world.start('second')
  expect(await world.halfMade()).toEqual([])
  expect(await world.notes(slug)).toEqual(['second'])
  await freeze(world, slug)
}

const diesInFreeze: Scenario = async (world, fault) => {
  const slug = await world.startRunning('one')
  const first = await freeze(world, slug)
  await dieAt(world, fault, ['freeze', slug])
  expect(await world.problems()).toEqual([])
  expect((await world.list()).find((bottle) => bottle.slug === slug)?.state).toBe('running')
  const last = await freeze(world, slug)
  const ids = (await world.snapshots(slug)).map(({ id }) => id)
  expect(ids).toEqual(expect.arrayContaining([first, last]))
  await world.home.must(['stop', slug, '--force'])
  await world.replaceSitter()
  await expectAllHold(world, slug, 'one')
}

const diesInResume: Scenario = async (world, fault) => {
  const slug = await world.start('one')
  const first = await freeze(world, slug)
  await world.home.must(['resume', slug, '--headless', '--prompt', 'newer'])
  // The newer work is in no snapshot yet: a resume that dies must not lose it either. Some points lie only on
  // the way to another snapshot than the current one.
  const goesOn = await diesAt(world, fault, ['resume', slug, '--headless', '--prompt', 'two'])
  if (!goesOn) await dieAt(world, fault, ['resume', `${slug}@${first}`, '--headless', '--prompt', 'back'])
  expect(await world.problems()).toEqual([])
  await world.quiet()
  await world.home.must(['resume', slug, '--headless', '--prompt', 'three'])
  const notes = await world.notes(slug)
  expect(notes).toEqual(expect.arrayContaining(['one', 'three']))
  await freeze(world, slug)
  // Newer work either goes on or was frozen before the way back.
  const held = await world.markersHeld(slug)
  expect(held.get(first)).toContain('one')
  expect([...held.values()].flat()).toContain('newer')
  expect(await world.problems()).toEqual([])
}

const diesInFork: Scenario = async (world, fault) => {
  const slug = await world.start('one')
  const first = await freeze(world, slug)
  await dieAt(world, fault, ['fork', `${slug}@${first}`, '--headless', '--prompt', 'branch'])
  expect(await world.problems()).toEqual([])
  const { json } = await world.home.must(['fork', `${slug}@${first}`, '--headless', '--prompt', 'again'])
  expect(await world.notes((json as { slug: string }).slug)).toEqual(['one', 'again'])
  expect(await world.markersIn(slug, first)).toContain('one')
}

const diesInStop: Scenario = async (world, fault) => {
  const slug = await world.startRunning('one')
  await dieAt(world, fault, ['stop', slug, '--force'])
  expect(await world.problems()).toEqual([])
  await world.home.must(['stop', slug, '--force'])
  await freeze(world, slug)
  await world.replaceSitter()
  await expectAllHold(world, slug, 'one')
}

const diesInDestroy: Scenario = async (world, fault) => {
  const slug = await world.start('one')
  const first = await freeze(world, slug)
  await dieAt(world, fault, ['destroy', slug, '--yes'])
  expect(await world.problems()).toEqual([])
  if ((await world.list()).some((bottle) => bottle.slug === slug))
    await world.home.must(['destroy', slug, '--yes'])
  await world.home.must(['trash', 'undo', slug])
  expect(await world.markersIn(slug, first)).toContain('one')
}

const diesInImport: Scenario = async (world, fault) => {
  const slug = await world.start('one')
  await freeze(world, slug)
  const file = join(world.home.dir, 'carried.bottle')
  await world.home.must(['export', slug, '-o', file])
  // On the way in the engine has to make its image anew.
  await world.home.must(['destroy', slug, '--purge', '--yes'])
  await dieAt(world, fault, ['import', file])
  expect(await world.problems()).toEqual([])
  // Either the whole bottle is there by now or nothing of it; a second import works in both cases.
  const whole = await world.list()
  expect(whole.map(({ state }) => state)).toEqual(whole.map(() => 'frozen'))
  const { json } = await world.home.must(['import', file])
  const imported = (json as { slug: string }).slug
  expect(await world.halfMade()).toEqual([])
  for (const bottle of [...whole.map((row) => row.slug), imported]) await expectAllHold(world, bottle, 'one')
}

/** Between two backends: whatever the moment, one run is there in the end, with all that was ever written, once. */
export const diesInCarry: Scenario = async (world, fault) => {
  const slug = await world.start('one')
  await freeze(world, slug)
  const resume = (marker: string, backend: string) =>
    ['resume', slug, '--headless', '--prompt', marker, '--backend', backend] as const
  await world.home.must(['resume', slug, '--headless', '--prompt', 'newer'])
  await dieAt(world, fault, resume('two', 'host'))
  expect(await world.problems()).toEqual([])
  await world.quiet()
  await world.home.must(resume('three', 'host'))
  const notes = await world.notes(slug)
  expect(notes).toEqual(expect.arrayContaining(['one', 'newer', 'three']))
  expect(new Set(notes).size).toBe(notes.length)
  await world.home.must(resume('four', 'docker'))
  expect(await world.notes(slug)).toEqual([...notes, 'four'])
  expect(await world.problems()).toEqual([])
  const made = (await world.snapshots(slug)).flatMap(({ backend, facts }) =>
    facts.carriedFrom ? [`${backend} ${JSON.stringify(facts.carriedFrom)}`] : [],
  )
  expect(made.length).toBeGreaterThan(0)
  expect(new Set(made).size).toBe(made.length)
}

/** The operation that a fault point belongs to → how it is brought there and what must hold afterwards. */
export const KILL_SCENARIOS: Readonly<Record<string, Scenario>> = {
  start: diesInStart,
  freeze: diesInFreeze,
  resume: diesInResume,
  fork: diesInFork,
  stop: diesInStop,
  destroy: diesInDestroy,
  import: diesInImport,
  carry: diesInCarry,
}
