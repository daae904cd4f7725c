import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FaultBench, type FaultScene, makeFaultBench } from '../support/engine-faults.ts'
import { makeSmolWorld, type SmolWorld } from '../support/smolvm-double.ts'

/** A freeze that goes by this verb of the engine. */
const scenesOf = (verb: string): readonly FaultScene[] => [
  {
    name: 'a disk that is full in the middle of it',
    knobs: { faults: [{ verb, kind: 'disk-full', bytes: 200_000 }] },
    code: 'disk-full',
  },
  {
    name: 'an engine that is killed in the middle of it',
    knobs: { faults: [{ verb, kind: 'kill', bytes: 200_000 }] },
    code: 'engine-failed',
  },
  {
    name: 'an engine that is killed when all is written',
    knobs: { faults: [{ verb, kind: 'kill-after' }] },
    code: 'engine-failed',
  },
  {
    name: 'records that another holds',
    knobs: { faults: [{ verb, kind: 'locked' }] },
    code: 'busy',
  },
  {
    name: 'an engine that hangs in the middle of it, until it is cancelled',
    knobs: { faults: [{ verb, kind: 'hang', bytes: 100_000 }] },
    code: 'cancelled',
    cancelAt: verb === 'checkpoint' ? 'machine checkpoint' : verb,
  },
]

const PACKS: readonly FaultScene[] = [
  ...scenesOf('pack create'),
  {
    name: 'a helper machine that does not come up',
    knobs: { extra: { helperFails: true } },
    code: 'engine-failed',
  },
  {
    name: 'a pack that lost its files',
    knobs: { faults: [{ verb: 'pack create', kind: 'hollow' }] },
    code: ['engine-failed', 'verify-failed'],
  },
  {
    name: 'a stop that fails',
    knobs: { faults: [{ verb: 'stop', kind: 'fail', message: 'agent operation failed: stop: no answer' }] },
    code: 'engine-failed',
  },
]

const HANG: FaultScene = {
  name: 'an engine that does not answer in time',
  knobs: { faults: [{ verb: 'ls', kind: 'hang' }] },
  code: 'timeout',
}

/** The older one has to stop the bottle and packs it; the newer one takes its memory along. */
const SCENES: Readonly<Record<string, readonly FaultScene[]>> = {
  '1.9.3': PACKS,
  '1.23.0': [...scenesOf('checkpoint'), HANG],
}

describe.each(Object.entries(SCENES))('a freeze on smolvm %s and', (version, scenes) => {
  let world: SmolWorld
  let bench: FaultBench
  const machineOf = (slug: string) =>
    world.machines().find(({ name }) => name.startsWith(`bot-bottle-${slug}`))?.name ?? ''
  const inGuest = (slug: string, ...argv: string[]) => {
    const words = ['machine', 'exec', '--name', machineOf(slug), '--', ...argv]
    const { exitCode, stdout, stderr } = world.double.run(words)
    if (exitCode !== 0) throw new Error(stderr)
    return stdout
  }

  beforeAll(async () => {
    world = await makeSmolWorld(version)
    bench = await makeFaultBench({
      double: world.double,
      bottle: `backend: smolmachines\nimage: ${world.image}\nworkdir: /work`,
      objects: () => world.machines().map(({ name, state }) => `${name} ${state}`),
      guest: (slug) => inGuest(slug, 'find', '/', '-xdev', '!', '-path', '/proc/*').split('\n').sort(),
      change: (slug) => void inGuest(slug, 'dd', 'if=/dev/urandom', 'of=/work/blob', 'bs=1k', 'count=400'),
      throwAway: world.throwAway,
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
    world.throwAway(slug)
    await bench.ended()
    expect(await tests.resume(`${slug}@${first?.id}`, 'cat marker')).toBe(0)
    expect(await tests.output(slug)).toBe('first\n')
  })
})
