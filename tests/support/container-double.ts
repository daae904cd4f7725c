import { join } from 'node:path'
import { writeBusyboxArchive } from './doubles/lib/image-archive.ts'
import { type InstalledDouble, installDouble } from './doubles/lib/install.ts'

/** Releases of `container` that the suites run on. */
export const CONTAINER_VERSIONS = ['0.12.3', '1.0.0', '1.2.0', '1.2.1', '1.2.2'] as const

/** A double of `container` whose services run. */
export interface ContainerWorld {
  readonly double: InstalledDouble
  /** Tag of a small image with a shell. */
  readonly image: string
  /** Runs the double; throws with its words when it fails. */
  must(args: readonly string[]): string
  /** Names of the containers of a bottle, as the engine has them now. */
  containersOf(slug: string): readonly string[]
}

/** Installs the double of a release, starts its services and loads a busybox image. */
export async function makeContainerWorld(version: string): Promise<ContainerWorld> {
  const double = await installDouble({ tool: 'container', version })
  const must = (args: readonly string[]): string => {
    const { exitCode, stdout, stderr } = double.run(args)
    if (exitCode !== 0) throw new Error(`container ${args.join(' ')}: exit ${exitCode}: ${stderr}`)
    return stdout
  }
  must(['system', 'start', '--enable-kernel-install'])
  const archive = join(double.dir, 'busybox.tar')
  const image = 'docker.io/library/box:1'
  writeBusyboxArchive(archive, { reference: image, kind: 'oci' })
  must(['image', 'load', '--input', archive])
  return {
    double,
    image,
    must,
    containersOf(slug) {
      const found = JSON.parse(must(['list', '--all', '--format', 'json'])) as {
        configuration: { id: string; labels: Record<string, string> }
      }[]
      return found
        .filter(({ configuration }) => configuration.labels['dev.icebox.slug'] === slug)
        .map(({ configuration }) => configuration.id)
    },
  }
}

/** Removes the containers of a bottle behind Icebox's back. */
export function throwContainersAway(world: ContainerWorld, slug: string): void {
  const names = world.containersOf(slug)
  if (names.length > 0) world.must(['delete', '--force', ...names])
}
