import { join } from 'node:path'
import { makeBusyboxTree } from '../lib/busybox-tree.ts'
import { type ImageRunConfig, writeImageArchive } from '../lib/image-archive.ts'
import { type DoubleRun, type InstalledDouble, installDouble } from '../lib/install.ts'
import { addRegistryImage } from './images.ts'
import { featuresOf } from './versions.ts'

/** A double of smolvm with one image, in an archive and in its registry. */
export interface SmolvmWorld {
  readonly double: InstalledDouble
  /** As `docker save` writes it. */
  readonly archive: string
  readonly reference: string
  /** Under which the registry has it too. */
  readonly digest: string
  /** A machine's name as create, delete, update and data-dir of this version take it. */
  named(name: string): readonly string[]
  run(...args: readonly string[]): DoubleRun
  /** Runs what has to succeed and returns its stdout. @throws Error */
  must(...args: readonly string[]): string
  /** Runs a command in a machine and returns its stdout. @throws Error unless it ends with 0 */
  inside(name: string, script: string): string
  /** Makes and starts a machine of the registry's image. */
  up(name: string, ...further: readonly string[]): void
  dispose(): Promise<void>
}

const REFERENCE = 'docker.io/library/box:1'

/** Puts a double at a version in place; `config` is the image's own configuration. */
export async function installSmolvm(version: string, config: ImageRunConfig = {}): Promise<SmolvmWorld> {
  const double = await installDouble({ tool: 'smolvm', version })
  const tree = join(double.dir, 'tree')
  const archive = join(double.dir, 'box.tar')
  makeBusyboxTree(tree)
  writeImageArchive(archive, tree, { reference: REFERENCE, kind: 'docker', config })
  const digest = addRegistryImage(double.dir, REFERENCE, archive)
  const run = (...args: readonly string[]) => double.run(args)
  const must = (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = run(...args)
    if (exitCode !== 0) throw new Error(`smolvm ${args.join(' ')} ended with ${exitCode}: ${stderr}`)
    return stdout
  }
  const named = (name: string) => (featuresOf(double.version).flagNames ? ['--name', name] : [name])
  return {
    ...{ double, archive, digest, run, must, named },
    reference: REFERENCE,
    inside: (name, script) => must('machine', 'exec', '--name', name, '--', 'sh', '-c', script),
    up(name, ...further) {
      must('machine', 'create', ...named(name), '--image', REFERENCE, '--net', ...further)
      must('machine', 'start', '--name', name)
    },
    dispose: () => double.dispose(),
  }
}
