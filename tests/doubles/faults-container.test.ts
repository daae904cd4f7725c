import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerWorld, makeContainerWorld, throwContainersAway } from '../support/container-double.ts'
import { type FaultBench, type FaultScene, makeFaultBench } from '../support/engine-faults.ts'

const EXPORTS: readonly FaultScene[] = [
  { name: 'services that are down', knobs: { serviceDown: true }, code: 'engine-down', says: /system start/ },
  {
    name: 'a disk that is full in the middle of the export',
    knobs: { faults: [{ verb: 'export', kind: 'disk-full', bytes: 200_000 }] },
    code: 'disk-full',
  },
  {
    name: 'an export that is killed',
    knobs: { faults: [{ verb: 'export', kind: 'kill', bytes: 200_000 }] },
    code: 'engine-failed',
  },
  {
    name: 'a store that another holds',
    knobs: { faults: [{ verb: 'export', kind: 'locked' }] },
    code: ['busy', 'engine-failed'],
  },
  {
    name: 'an export that hangs, until it is cancelled',
    knobs: { faults: [{ verb: 'export', kind: 'hang', bytes: 100_000 }] },
    code: 'cancelled',
    cancelAt: 'export',
  },
]

const LOADS: readonly FaultScene[] = [
  {
    name: 'a disk that is full in the middle of the load',
    knobs: { faults: [{ verb: 'image load', kind: 'disk-full', bytes: 100_000 }] },
    code: 'disk-full',
  },
  {
    name: 'a load and a build that are killed after their work',
    knobs: {
      faults: [
        { verb: 'image load', kind: 'kill-after' },
        { verb: 'build', kind: 'kill-after' },
      ],
    },
    code: 'engine-failed',
  },
  {
    name: 'a load that hangs, until it is cancelled',
    knobs: { faults: [{ verb: 'image load', kind: 'hang' }] },
    code: 'cancelled',
    cancelAt: 'image load',
  },
  {
    name: 'a stop that is killed',
    knobs: { faults: [{ verb: 'stop', kind: 'kill' }] },
    code: 'engine-failed',
  },
]

const HANG: FaultScene = {
  name: 'an engine that does not answer in time',
  knobs: { faults: [{ verb: 'inspect', kind: 'hang' }] },
  code: 'timeout',
}

/** The older one has to stop the bottle. What comes after the export is the same on both. */
const SCENES: Readonly<Record<string, readonly FaultScene[]>> = {
  '1.2.0': [...EXPORTS, ...LOADS],
  '1.2.2': [...EXPORTS, HANG],
}

describe.each(Object.entries(SCENES))('a freeze on container %s and', (version, scenes) => {
  let world: ContainerWorld
  let bench: FaultBench

  beforeAll(async () => {
    world = await makeContainerWorld(version)
    const { double, must } = world
    const list = (args: readonly string[]) => JSON.parse(must([...args, '--format', 'json'])) as unknown[]
    bench = await makeFaultBench({
      double,
      bottle: `backend: macos-container\nimage: ${world.image}\nworkdir: /work`,
      objects: () => [
        ...list(['image', 'list']).map((image) => JSON.stringify(image)),
        ...list(['list', '--all']).map((entry) => JSON.stringify(entry).replace(/"startedDate":"[^"]*"/, '')),
      ],
      guest: (slug) =>
        world
          .containersOf(slug)
          .flatMap((id) => must(['exec', id, 'find', '/', '-xdev', '!', '-path', '/proc/*']).split('\n'))
          .sort(),
      change: (slug) => {
        for (const id of world.containersOf(slug))
          must(['exec', id, 'dd', 'if=/dev/urandom', 'of=/work/blob', 'bs=1k', 'count=400'])
      },
      throwAway: (slug) => throwContainersAway(world, slug),
    })
    await bench.freeze()
  })
  afterAll(async () => {
    await bench?.dispose()
    await world?.double.dispose()
  })

  it.each(scenes)('$name', (scene) => bench.play(scene))

  it('after all of that it freezes, and the older snapshot is whole', async () => {
    const { tests, slug } = bench
    const [first] = await tests.icebox.bottles.snapshots(slug)
    await bench.freeze()
    expect(await tests.icebox.bottles.snapshots(slug)).toHaveLength(2)
    throwContainersAway(world, slug)
    await bench.ended()
    expect(await tests.resume(`${slug}@${first?.id}`, 'cat marker')).toBe(0)
    expect(await tests.output(slug)).toBe('first\n')
  })
})
