import { conformance } from '../engine/conformance/suite.ts'
import { type ContainerWorld, makeContainerWorld, throwContainersAway } from './container-double.ts'
import { memoryFolder } from './memory-folder.ts'

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
    environment: async () => (await there()).double.env,
    // There since the double is.
    base: memoryFolder,
    bottle: async () => `backend: macos-container\nimage: ${(await there()).image}\nworkdir: /work`,
    throwAway: async (_tests, slug) => throwContainersAway(await there(), slug),
    dispose: async () => world?.double.dispose(),
  })
}
