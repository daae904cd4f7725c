import type { Compression } from '../oci.ts'
import { MEDIA } from '../oci.ts'

/** Docker's own names for what OCI standardised later; registries and `podman` still write them. */
const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  none: 'application/vnd.docker.image.rootfs.diff.tar',
} as const

export const isManifestType = (type: string) => type === MEDIA.manifest || type === DOCKER.manifest
export const isIndexType = (type: string) => type === MEDIA.index || type === DOCKER.list
export const isConfigType = (type: string) => type === MEDIA.config || type === DOCKER.config

/** How a layer of that media type is compressed; null for one that is no layer known here. Pure. */
export function layerCodec(type: string): Compression | null {
  for (const codec of ['gzip', 'zstd', 'none'] as const) {
    if (type === MEDIA.layer[codec] || type === DOCKER[codec]) return codec
  }
  return null
}

/** As `layerCodec`, for the volumes of an artifact. Pure. */
export function volumeCodec(type: string): Compression | null {
  for (const codec of ['gzip', 'zstd', 'none'] as const) if (type === MEDIA.volume[codec]) return codec
  return null
}

/** Layers that an image only points at, to be had from somebody else's server. Pure. */
export function isForeignLayer(type: string): boolean {
  return type.includes('.foreign.') || type.includes('.nondistributable.')
}
