import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from '../../src-main/system/run-command.ts'
import { until } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld } from '../support/container-double.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

/** Points of a freeze that has to stop the bottle, and what is found when its process was killed there. */
const POINTS = [
  { point: 'freeze:before-stop', isStopped: false, isKept: false },
  { point: 'freeze:after-stop', isStopped: true, isKept: false },
  { point: 'freeze:after-layout', isStopped: false, isKept: false },
  { point: 'freeze:after-capture', isStopped: false, isKept: true },
] as const

const CHILD = join(import.meta.dirname, '../support/freeze-child.ts')
const never = new AbortController().signal

let world: ContainerWorld
let tests: TestBottles
let slug = ''
let name = ''
let ended: Promise<number | null>
beforeAll(async () => {
  world = await makeContainerWorld('1.2.0')
  const bottle = `backend: macos-container\nimage: ${world.image}\nworkdir: /work`
  tests = await makeTestBottles(bottle, undefined, world.double.env)
  const script =
    'echo start >> starts; trap "exit 9" TERM; echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 5'
  ;({ slug, ended } = await tests.launch(script, 'killed'))
  await until(async () => (await tests.output(slug)).includes('ready'))
  name = world.containersOf(slug)[0] ?? ''
})
afterAll(async () => {
  await tests?.dispose()
  await world?.double.dispose()
})

const row = async () => (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)
const images = () => world.must(['image', 'list', '-q']).trim().split('\n').length
const isRunning = () => {
  const [entry] = JSON.parse(world.must(['inspect', name])) as { status: { state: string } }[]
  return entry?.status.state === 'running'
}

it.each(POINTS)('starts the bottle again after a kill at $point', async ({ point, isStopped, isKept }) => {
  const before = { snapshots: (await tests.icebox.bottles.snapshots(slug)).length, images: images() }
  await runCommand(process.execPath, [CHILD, tests.home.dir, slug], {
    env: { ...(world.double.env as Record<string, string>), ICEBOX_FAULT: `${point}:kill` },
    timeout: 100_000,
  }).then(
    () => expect.unreachable(`${point} was not passed`),
    (thrown: unknown) => expect(thrown).toMatchObject({ code: 'engine-failed' }),
  )
  expect(isRunning()).toBe(!isStopped)
  // To everybody who looks, and to whoever waits for its end, it still works.
  expect(await row()).toMatchObject({ state: 'running', exitCode: null })
  await tests.icebox.bottles.cleanup(tests.context())
  expect(isRunning()).toBe(true)
  expect(await row()).toMatchObject({ state: 'running', exitCode: null })
  const kept = isKept ? 1 : 0
  expect(await tests.icebox.bottles.snapshots(slug)).toHaveLength(before.snapshots + kept)
  expect(images()).toBe(before.images + kept)
  const parts = await readdir(join(tests.home.dir, 'state', slug, 'snapshots')).catch(() => [])
  expect(parts.filter((file) => !file.endsWith('.json'))).toEqual([])
})

it('ends as its agent ends, for whoever has waited all along', async () => {
  // Its end may take the call along that brings it about.
  world.double.run(['exec', name, 'touch', '/work/go'])
  expect(await ended).toBe(5)
  expect(await row()).toMatchObject({ exitCode: 5 })
})
