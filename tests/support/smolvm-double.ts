import type { InstalledDouble } from './doubles/lib/install.ts'
import { installSmolvm } from './doubles/smolvm/world.ts'
import { pinnedImage, throwMachinesAway } from './smolvm-conformance.ts'

/** A double of `smolvm` as bottles see it. */
export interface SmolWorld {
  readonly double: InstalledDouble
  /** Reference of a small image with a shell, by its digest. */
  readonly image: string
  /** The same as an archive of this machine. */
  readonly archive: string
  machines(): readonly { readonly name: string; readonly state: string }[]
  /** Removes the machines of a bottle behind Icebox's back. */
  throwAway(slug: string): void
}

export async function makeSmolWorld(version: string): Promise<SmolWorld> {
  const world = await installSmolvm(version)
  const { double, archive } = world
  return {
    ...{ double, archive, image: pinnedImage(world) },
    machines: () => JSON.parse(world.must('machine', 'ls', '--json')),
    throwAway: (slug) => throwMachinesAway(world, slug),
  }
}
