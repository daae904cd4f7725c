import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TreeOptions } from './lib/busybox-tree.ts'
import { type ImageRunConfig, writeBusyboxArchive } from './lib/image-archive.ts'
import { type InstalledDouble, installDouble } from './lib/install.ts'

export { CONTAINER_VERSIONS } from './container/versions.ts'

/** The double of Apple's `container` with an image in its store. */
export interface ContainerDouble extends InstalledDouble {
  /** Full reference of a small image with a shell. */
  readonly image: string
  /** Adds a busybox image under a full reference, such as `docker.io/library/no-shell:1`. */
  addImage(
    reference: string,
    options?: {
      readonly config?: ImageRunConfig
      readonly tree?: TreeOptions
      readonly architecture?: string
    },
  ): void
}

export interface ContainerDoubleOptions {
  readonly version: string
  /** `stopped`: the service has never been started. */
  readonly service?: 'running' | 'stopped'
  /** False: `system start` asks for a kernel. */
  readonly kernel?: boolean
}

/** Puts the double of `container` on a PATH of its own. */
export async function installContainerDouble(options: ContainerDoubleOptions): Promise<ContainerDouble> {
  const { version, ...config } = options
  const isStopped = options.service === 'stopped'
  const double = await installDouble({
    tool: 'container',
    version,
    config: { ...config, service: 'running' },
  })
  const addImage: ContainerDouble['addImage'] = (reference, image = {}) => {
    const archive = join(double.dir, 'image.tar')
    const { tree, config: runConfig, architecture } = image
    writeBusyboxArchive(archive, {
      reference,
      kind: 'oci',
      ...(tree ? { tree } : {}),
      ...(runConfig ? { config: runConfig } : {}),
      ...(architecture ? { architecture } : {}),
    })
    const { exitCode, stderr } = double.run(['image', 'load', '-i', archive])
    rmSync(archive)
    if (exitCode !== 0) throw new Error(`image ${reference} could not be added: ${stderr}`)
  }
  const image = 'docker.io/library/busybox:latest'
  addImage(image)
  if (isStopped) double.run(['system', 'stop'])
  return Object.assign(double, { image, addImage })
}
