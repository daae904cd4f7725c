import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { MEDIA } from '../../../src-main/artifacts/oci.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

type Json = Record<string, unknown>

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const digestOf = (bytes: Uint8Array): string => `sha256:${sha256(bytes)}`
export const blobName = (digest: string): string => `blobs/sha256/${digest.slice(7)}`

export type Packing = 'gzip' | 'zstd' | 'none'

/** A layer or volume: its tar, and the blob that stands for it when that is not simply the packed tar. */
export interface LayerSpec {
  readonly content: Buffer
  readonly pack?: Packing
  readonly blob?: Buffer
  readonly mediaType?: string
}

export interface VolumeSpec extends LayerSpec {
  readonly destination: string
  readonly fact?: Json
}

export interface LayoutSpec {
  readonly layers?: readonly LayerSpec[]
  /** With facts it is an artifact of Icebox, else a plain image. */
  readonly facts?: Json | null
  readonly volumes?: readonly VolumeSpec[]
  readonly architecture?: string
  /** Layers that are left out, from the bottom. */
  readonly thin?: number
  readonly changeConfig?: (config: Json) => unknown
  readonly changeManifest?: (manifest: Json) => unknown
  readonly changeParts?: (parts: Json) => unknown
  readonly changeIndex?: (index: Json) => unknown
  /** Last, over the whole list of files. */
  readonly changeMembers?: (members: RawEntry[]) => RawEntry[]
  readonly end?: Uint8Array
}

export const FILE_LAYER: LayerSpec = {
  content: rawTar([
    { name: 'etc/', type: '5' },
    { name: 'etc/motd', body: 'hello from the layer\n' },
  ]),
}

export function packed(content: Buffer, pack: Packing): Buffer {
  if (pack === 'none') return content
  return pack === 'gzip' ? gzipSync(content) : zstdCompressSync(content)
}

const json = (value: unknown): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

/** Facts as an export writes them, with changes laid over. */
export function goodFacts(
  changes: { snapshot?: Json; bottle?: Json; definitions?: Json; rest?: Json } = {},
): Json {
  return {
    version: 1,
    snapshot: {
      id: '20260102T030405Z-ab12',
      parent: null,
      backend: 'docker',
      createdAt: '2026-01-02T03:04:05.000Z',
      fidelity: 'files',
      leftOut: [],
      reason: 'user',
      note: 'a note',
      label: '',
      facts: {},
      ...changes.snapshot,
    },
    bottle: {
      slug: 'web-1',
      label: 'Web 1',
      color: 'green',
      agent: '',
      provider: 'custom',
      bottleNames: [],
      policy: 'default',
      secretNames: [],
      interactive: false,
      ...changes.bottle,
    },
    definitions: { agents: {}, bottles: {}, ...changes.definitions },
    volumes: [],
    baseLayers: 0,
    scrub: null,
    ...changes.rest,
  }
}

/** The files of an OCI layout as an archive; every lie is told by the spec. */
export function ociLayout(spec: LayoutSpec = {}): RawEntry[] {
  const blobs = new Map<string, Buffer>()
  const put = (bytes: Buffer): { digest: string; size: number } => {
    blobs.set(digestOf(bytes), bytes)
    return { digest: digestOf(bytes), size: bytes.length }
  }
  const layers = (spec.layers ?? [FILE_LAYER]).map((layer, at) => {
    const pack = layer.pack ?? 'gzip'
    const bytes = layer.blob ?? packed(layer.content, pack)
    const described = { digest: digestOf(bytes), size: bytes.length }
    if (at >= (spec.thin ?? 0)) put(bytes)
    return { mediaType: layer.mediaType ?? MEDIA.layer[pack], ...described }
  })
  const config = {
    os: 'linux',
    architecture: spec.architecture ?? (process.arch === 'x64' ? 'amd64' : process.arch),
    created: '2026-01-02T03:04:05Z',
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], WorkingDir: '/workspace' },
    rootfs: {
      type: 'layers',
      diff_ids: (spec.layers ?? [FILE_LAYER]).map(({ content }) => digestOf(content)),
    },
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, ...put(json(spec.changeConfig?.(config) ?? config)) },
    layers,
  }
  const image = { mediaType: MEDIA.manifest, ...put(json(spec.changeManifest?.(manifest) ?? manifest)) }
  const annotations: Json = {}
  if (spec.facts) {
    const volumes = (spec.volumes ?? []).map((volume) => {
      const bytes = volume.blob ?? packed(volume.content, volume.pack ?? 'gzip')
      return {
        mediaType: volume.mediaType ?? MEDIA.volume[volume.pack ?? 'gzip'],
        ...put(bytes),
        annotations: { 'dev.icebox.volume.destination': volume.destination },
      }
    })
    const told = (spec.volumes ?? []).map((volume) => ({
      destination: volume.destination,
      kind: 'anonymous',
      name: '',
      bytes: volume.content.length,
      sha256: sha256(volume.content),
      ...volume.fact,
    }))
    const facts = { ...spec.facts, ...(told.length > 0 ? { volumes: told } : {}) }
    const parts = {
      schemaVersion: 2,
      mediaType: MEDIA.manifest,
      artifactType: MEDIA.parts,
      config: { mediaType: MEDIA.facts, ...put(json(facts)) },
      layers: volumes.length > 0 ? volumes : [{ mediaType: MEDIA.empty, ...put(json('{}')) }],
      subject: image,
    }
    annotations['dev.icebox.parts'] = put(json(spec.changeParts?.(parts) ?? parts)).digest
  }
  if (spec.thin) annotations['dev.icebox.thin'] = String(spec.thin)
  const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [{ ...image, annotations }] }
  const members: RawEntry[] = [
    { name: 'oci-layout', body: '{"imageLayoutVersion":"1.0.0"}' },
    ...[...blobs].map(([digest, body]) => ({ name: blobName(digest), body })),
    { name: 'index.json', body: json(spec.changeIndex?.(index) ?? index) },
  ]
  return spec.changeMembers?.(members) ?? members
}

export function ociArchive(spec: LayoutSpec = {}): Buffer {
  return rawTar(ociLayout(spec), spec.end)
}

/** What `docker save` before version 25 writes: uncompressed layers in folders, and a list of images. */
export function dockerArchive(
  spec: {
    readonly layers?: readonly LayerSpec[]
    readonly changeList?: (list: Json[]) => unknown
    readonly changeMembers?: (members: RawEntry[]) => RawEntry[]
    readonly changeConfig?: (config: Json) => unknown
  } = {},
): Buffer {
  const layers = spec.layers ?? [FILE_LAYER]
  const config = {
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ content }) => digestOf(content)) },
  }
  const text = json(spec.changeConfig?.(config) ?? config)
  const names = layers.map(
    ({ content }, at) => `${sha256(Buffer.concat([content, Buffer.of(at)]))}/layer.tar`,
  )
  const list: Json[] = [{ Config: `${sha256(text)}.json`, RepoTags: ['saved/thing:1'], Layers: names }]
  const members: RawEntry[] = [
    ...layers.flatMap(({ content }, at): RawEntry[] => {
      const folder = (names[at] ?? '').replace('layer.tar', '')
      return [
        { name: folder, type: '5' },
        { name: `${folder}VERSION`, body: '1.0' },
        { name: `${folder}json`, body: '{}' },
        { name: names[at] ?? '', body: content },
      ]
    }),
    { name: `${sha256(text)}.json`, body: text },
    { name: 'manifest.json', body: json(spec.changeList?.(list) ?? list) },
    { name: 'repositories', body: '{"saved/thing":{"1":"x"}}' },
  ]
  return rawTar(spec.changeMembers?.(members) ?? members)
}
