import { join } from 'node:path'
import { writeBusyboxArchive } from './doubles/lib/image-archive.ts'
import { type InstalledDouble, installDouble } from './doubles/lib/install.ts'
import { addRegistryImage } from './doubles/smolvm/images.ts'
import { featuresOf } from './doubles/smolvm/versions.ts'

/** A double of `smolvm` whose registry has a small image with a shell. */
export interface SmolWorld {
  readonly double: InstalledDouble
  /** Reference of the image, by its digest. */
  readonly image: string
  /** The same as an archive of this machine. */
  readonly archive: string
  /** Runs the double; throws with its words when it fails. */
  must(args: readonly string[]): string
  machines(): readonly { readonly name: string; readonly state: string; readonly labels?: object }[]
  /** Deletes a machine behind Icebox's back. */
  throwAway(name: string): void
}

/** Installs the double of a version and gives its registry a busybox image. */
export async function makeSmolWorld(version: string): Promise<SmolWorld> {
  const double = await installDouble({ tool: 'smolvm', version })
  const archive = join(double.dir, 'box.tar')
  writeBusyboxArchive(archive, { reference: 'docker.io/library/box:1', kind: 'docker' })
  const digest = addRegistryImage(double.dir, 'docker.io/library/box:1', archive)
  const must = (args: readonly string[]): string => {
    const { exitCode, stdout, stderr } = double.run(args)
    if (exitCode !== 0) throw new Error(`smolvm ${args.join(' ')}: exit ${exitCode}: ${stderr}`)
    return stdout
  }
  return {
    double,
    image: `docker.io/library/box@${digest}`,
    archive,
    must,
    machines: () => JSON.parse(must(['machine', 'ls', '--json'])),
    throwAway(name) {
      must(['machine', 'delete', ...(featuresOf(double.version).flagNames ? ['--name', name] : [name]), '-f'])
    },
  }
}
