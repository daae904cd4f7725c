import { conformance } from '../engine/conformance/suite.ts'
import { installSmolvm, type SmolvmWorld } from './doubles/smolvm/world.ts'
import { memoryFolder } from './memory-folder.ts'

/** The conformance suite over one version of `smolvm`. */
export function smolvmConformance(version: string): void {
  let world: SmolvmWorld | undefined
  const there = async (): Promise<SmolvmWorld> => {
    world ??= await installSmolvm(version)
    return world
  }
  conformance({
    backend: 'smolmachines',
    version,
    environment: async () => (await there()).double.env,
    // There since the double is.
    base: memoryFolder,
    bottle: async () => `backend: smolmachines\nimage: ${pinnedImage(await there())}\nworkdir: /work`,
    throwAway: async (_tests, slug) => throwMachinesAway(await there(), slug),
    dispose: async () => world?.dispose(),
  })
}

/** The registry's image by its digest. */
export function pinnedImage({ reference, digest }: SmolvmWorld): string {
  return `${reference.replace(/:[^:]*$/, '')}@${digest}`
}

/** Deletes a bottle's machines behind Icebox's back, whichever of its names they have. */
export function throwMachinesAway(world: SmolvmWorld, slug: string): void {
  const machines = JSON.parse(world.must('machine', 'ls', '--json')) as { readonly name: string }[]
  const own = new RegExp(`^bot-bottle-${slug}(-[0-9a-z]{10})?$`)
  for (const { name } of machines)
    if (own.test(name)) world.must('machine', 'delete', ...world.named(name), '-f')
}
