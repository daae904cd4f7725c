import type { Platform, RunConfig } from '../backends/portable.ts'

/** Media types of an artifact. The image part is plain OCI; Icebox's own parts have types of their own. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: {
    gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
    zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
    none: 'application/vnd.oci.image.layer.v1.tar',
  },
  /** `artifactType` and config type of the manifest that carries what an image can't. */
  parts: 'application/vnd.icebox.snapshot.v1',
  facts: 'application/vnd.icebox.snapshot.v1+json',
  volume: {
    gzip: 'application/vnd.icebox.volume.v1.tar+gzip',
    zstd: 'application/vnd.icebox.volume.v1.tar+zstd',
    none: 'application/vnd.icebox.volume.v1.tar',
  },
  /** The blob `{}`: the one layer of a parts manifest without volumes, since a manifest must have one. Not a volume. */
  empty: 'application/vnd.oci.empty.v1+json',
} as const

export const COMPRESSIONS = ['gzip', 'zstd', 'none'] as const
export type Compression = (typeof COMPRESSIONS)[number]

export interface Descriptor {
  readonly mediaType: string
  /** `sha256:` and 64 hex digits. */
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  readonly artifactType?: string
}

export interface ImageManifest {
  readonly schemaVersion: 2
  readonly mediaType: typeof MEDIA.manifest
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

export interface ImageConfig extends Platform {
  readonly created?: string
  readonly config?: RunConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] }
  readonly history?: readonly { readonly created?: string; readonly created_by?: string }[]
}

export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType: typeof MEDIA.index
  readonly manifests: readonly Descriptor[]
}

/** On the image's descriptor in `index.json`. */
export const ANNOTATION = {
  refName: 'org.opencontainers.image.ref.name',
  /** Digest of the parts manifest (config: facts; layers: volumes; subject: the image). */
  parts: 'dev.icebox.parts',
  /** Number of the lowest layers that a thin archive leaves out. */
  thin: 'dev.icebox.thin',
  slug: 'dev.icebox.slug',
  snapshot: 'dev.icebox.snapshot',
} as const

/** Volume blobs say where they belong. */
export const VOLUME_ANNOTATION = { destination: 'dev.icebox.volume.destination' } as const
