import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeBusyboxTree, type TreeOptions } from './busybox-tree.ts'
import { sha256 } from './digest.ts'
import { mustRun } from './guest.ts'
import { planPack } from './root-file-system.ts'

/** The part of an OCI image configuration that says how it is run. */
export interface ImageRunConfig {
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly StopSignal?: string
}

export interface ArchiveOptions {
  /** Full reference, such as `docker.io/library/box:1`. */
  readonly reference: string
  readonly config?: ImageRunConfig
  readonly architecture?: string
  /** `oci`: a layout only; `docker`: what `docker save` wrote before v25; `both`: what it writes since. */
  readonly kind: 'oci' | 'docker' | 'both'
}

const DEFAULT: ImageRunConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['sh'],
  WorkingDir: '/workspace',
}

/** The architecture of this machine in the words of images. */
export const MACHINE_ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'

const hashOf = (data: Buffer) => sha256(data)

/** Writes an image archive of one layer from a folder. */
export function writeImageArchive(path: string, tree: string, options: ArchiveOptions): void {
  mkdirSync(dirname(path), { recursive: true })
  const dir = mkdtempSync(join(dirname(path), 'archive-'))
  try {
    const layout = join(dir, 'layout')
    const blobs = join(layout, 'blobs/sha256')
    mkdirSync(blobs, { recursive: true })
    const put = (data: Buffer) => {
      const digest = hashOf(data)
      writeFileSync(join(blobs, digest), data)
      return { digest: `sha256:${digest}`, size: data.length }
    }
    const json = (value: unknown) => Buffer.from(JSON.stringify(value))
    const { args, list } = planPack(tree, { absolute: false, keepSpecials: true })
    const layer = put(mustRun('tar', args, list))
    const config = put(
      json({
        architecture: options.architecture ?? MACHINE_ARCHITECTURE,
        os: 'linux',
        created: '2026-01-01T00:00:00Z',
        config: { ...DEFAULT, ...options.config },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
        history: [{ created: '2026-01-01T00:00:00Z', created_by: 'test' }],
      }),
    )
    if (options.kind !== 'docker') {
      const oci = (kind: string) => `application/vnd.oci.image.${kind}`
      const manifest = put(
        json({
          schemaVersion: 2,
          mediaType: oci('manifest.v1+json'),
          config: { mediaType: oci('config.v1+json'), ...config },
          layers: [{ mediaType: oci('layer.v1.tar'), ...layer }],
        }),
      )
      const annotations = {
        'io.containerd.image.name': options.reference,
        'org.opencontainers.image.ref.name': options.reference,
      }
      const platform = { architecture: options.architecture ?? MACHINE_ARCHITECTURE, os: 'linux' }
      const entry = { mediaType: oci('manifest.v1+json'), ...manifest, annotations, platform }
      writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
      writeFileSync(
        join(layout, 'index.json'),
        json({ schemaVersion: 2, mediaType: oci('index.v1+json'), manifests: [entry] }),
      )
    }
    if (options.kind !== 'oci') {
      const blob = (digest: string) => `blobs/sha256/${digest.slice(7)}`
      const entry = {
        Config: blob(config.digest),
        RepoTags: [options.reference.replace(/^docker\.io\/(library\/)?/, '')],
        Layers: [blob(layer.digest)],
      }
      writeFileSync(join(layout, 'manifest.json'), json([entry]))
    }
    mustRun('tar', ['-c', '-C', layout, '--sort=name', '--owner=0', '--group=0', '-f', path, '.'])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Writes an archive of the small image with a shell and returns the digest of the file. */
export function writeBusyboxArchive(
  path: string,
  options: ArchiveOptions & { readonly tree?: TreeOptions },
): string {
  const dir = mkdtempSync(join(tmpdir(), 'tree-'))
  try {
    makeBusyboxTree(dir, options.tree)
    writeImageArchive(path, dir, options)
    if (statSync(path).size === 0) throw new Error(`${path} is empty`)
    return `sha256:${hashOf(readFileSync(path))}`
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
