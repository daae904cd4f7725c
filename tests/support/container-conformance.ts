import { conformance } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld, throwContainersAway } from './container-double.ts'
import { quickFolder } from './many-files.ts'

/** The conformance suite over one release of `container`. */
export function containerConformance(version: string): void {
  let world: ContainerWorld | undefined
  const there = async (): Promise<ContainerWorld> => {
    world ??= await makeContainerWorld(version)
    return world
  }
  conformance({
    backend: 'macos-container',
    version,
    base: quickFolder(),
    environment: async () => (await there()).double.env,
    bottle: async () => `backend: macos-container\nimage: ${(await there()).image}\nworkdir: /work`,
    throwAway: async (_tests, slug) => throwContainersAway(await there(), slug),
    dispose: async () => world?.double.dispose(),
  })
}
