import { conformance } from '../engine/conformance/suite.ts'
import { makeSmolWorld, type SmolWorld } from './smolvm-double.ts'

/** The conformance suite over one version of `smolvm`. */
export function smolvmConformance(version: string): void {
  let world: SmolWorld | undefined
  const there = async (): Promise<SmolWorld> => {
    world ??= await makeSmolWorld(version)
    return world
  }
  conformance({
    backend: 'smolmachines',
    environment: async () => (await there()).double.env,
    bottle: async () => `backend: smolmachines\nimage: ${(await there()).image}\nworkdir: /work`,
    throwAway: async (_tests, slug) => {
      const { machines, throwAway } = await there()
      const plain = `bot-bottle-${slug}`
      const own = machines().filter(
        ({ name }) => name === plain || /^-[0-9a-z]{10}$/.test(name.slice(plain.length)),
      )
      for (const { name } of own) if (name.startsWith(plain)) throwAway(name)
    },
    dispose: async () => world?.double.dispose(),
  })
}
