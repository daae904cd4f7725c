import { MEDIA } from '../../../src-main/artifacts/oci.ts'
import type { HostileCase } from './cases.ts'
import { digestOf, FILE_LAYER, ociArchive, ociLayout } from './layout.ts'
import {
  body,
  firstBlob,
  images,
  type Json,
  nested,
  withBlob,
  withMembers,
  without,
} from './outer-changes.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

/** The layout and its documents. */
export const DOCUMENTS: readonly HostileCase[] = [
  { name: 'an empty tar', build: () => rawTar([]), reason: /no image archive/ },
  { name: 'no index.json', build: without(/^index\.json$/), reason: /index\.json is missing/ },
  { name: 'no oci-layout', build: without(/^oci-layout$/), reason: /oci-layout is missing/ },
  {
    name: 'another version of the layout',
    build: withMembers((members) =>
      members.map((member) =>
        member.name === 'oci-layout'
          ? { name: 'oci-layout', body: '{"imageLayoutVersion":"2.0.0"}' }
          : member,
      ),
    ),
    reason: /imageLayoutVersion/,
  },
  {
    name: 'an index that is no JSON',
    build: withMembers((members) =>
      members.map((member) =>
        member.name === 'index.json' ? { name: 'index.json', body: '{"a":' } : member,
      ),
    ),
    reason: /index\.json is no JSON/,
  },
  {
    name: 'an index nested beyond all measure',
    build: withMembers((members) =>
      members.map((member) =>
        member.name === 'index.json' ? { name: 'index.json', body: '['.repeat(1_000_000) } : member,
      ),
    ),
    reason: /index\.json is no JSON/,
  },
  {
    name: 'an index of megabytes',
    build: withMembers((members) =>
      members.map((member) =>
        member.name === 'index.json' ? { name: 'index.json', body: Buffer.alloc(5 << 20, ' ') } : member,
      ),
    ),
    reason: /larger than 4 MB/,
  },
  {
    name: 'schema version 1',
    build: () => ociArchive({ changeIndex: (index) => ({ ...index, schemaVersion: 1 }) }),
    reason: /schemaVersion/,
  },
  {
    name: 'a manifest of schema version 1',
    build: () => ociArchive({ changeManifest: (manifest) => ({ ...manifest, schemaVersion: 1 }) }),
    reason: /schemaVersion/,
  },
  {
    name: 'no image at all',
    build: () => ociArchive({ changeIndex: (index) => ({ ...index, manifests: [] }) }),
    reason: /holds no image/,
  },
  {
    name: 'an image of another media type',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, mediaType: 'application/vnd.example.thing' })),
        }),
      }),
    reason: /vnd\.example\.thing/,
  },
  {
    name: 'two images',
    build: () =>
      ociArchive({
        changeMembers: (members) => {
          const other = ociLayout({
            changeConfig: (config) => ({ ...config, created: '2020-01-01T00:00:00Z' }),
          })
          const [first, second] = [members, other].map(
            (list) => JSON.parse(body(list.at(-1) as RawEntry).toString()).manifests[0] as Json,
          )
          const name = (image: Json | undefined, text: string) => ({
            ...image,
            annotations: { 'org.opencontainers.image.ref.name': text },
          })
          const index = { schemaVersion: 2, manifests: [name(first, 'one'), name(second, 'two')] }
          const names = new Set(members.map((member) => member.name))
          const extra = other.filter((member) => !names.has(member.name))
          return [...members.slice(0, -1), ...extra, { name: 'index.json', body: JSON.stringify(index) }]
        },
      }),
    reason: /several images.*one.*two/,
  },
  { name: 'indexes in indexes without end', build: () => nested(6), reason: /circle or too deep/ },
  {
    name: 'a digest of another kind',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, digest: `sha512:${'0'.repeat(128)}` })),
        }),
      }),
    reason: /digest/,
  },
  {
    name: 'a digest that is a path',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, digest: 'sha256:../../../../etc/passwd' })),
        }),
      }),
    reason: /digest/,
  },
  {
    name: 'a blob with another content',
    build: withBlob((blob) => ({ ...blob, body: Buffer.concat([body(blob), Buffer.from('!')]) })),
    reason: /another digest than its name/,
  },
  {
    name: 'a manifest that is missing',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, digest: digestOf(Buffer.from('none')) })),
        }),
      }),
    reason: /manifest .* is missing/,
  },
  {
    name: 'a manifest of another size',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, size: 12 })),
        }),
      }),
    reason: /not 12 as is said/,
  },
  {
    name: 'a layer that is missing',
    build: withMembers((members) => members.filter((member) => member !== firstBlob(members))),
    reason: /layer 1 .* is missing/,
  },
  {
    name: 'a config of megabytes',
    build: () => ociArchive({ changeConfig: (config) => ({ ...config, junk: 'x'.repeat(5 << 20) }) }),
    reason: /config .* larger than 4 MB/,
  },
  {
    name: 'a config that is no config',
    build: () =>
      ociArchive({
        changeManifest: (manifest) => ({
          ...manifest,
          config: { ...(manifest.config as Json), mediaType: 'application/vnd.cncf.helm.config.v1+json' },
        }),
      }),
    reason: /helm/,
  },
  {
    name: 'an image for another system',
    build: () => ociArchive({ changeConfig: (config) => ({ ...config, os: 'windows' }) }),
    reason: /windows/,
  },
  {
    name: 'more layers than the config knows',
    build: () =>
      ociArchive({ changeConfig: (config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [] } }) }),
    reason: /0 layers.*1/,
  },
  {
    name: 'no layers',
    build: () => ociArchive({ layers: [] }),
    reason: /no layers/,
  },
  {
    name: 'a layer that unfolds to something else',
    build: () =>
      ociArchive({
        changeConfig: (config) => ({
          ...config,
          rootfs: { type: 'layers', diff_ids: [digestOf(Buffer.from('something else'))] },
        }),
      }),
    reason: /layer 1 of 1.*unfolds to/,
  },
  {
    name: 'a layer that lies elsewhere',
    build: () =>
      ociArchive({
        layers: [
          { ...FILE_LAYER, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' },
        ],
      }),
    reason: /foreign/,
  },
  {
    name: 'a layer with an address',
    build: () =>
      ociArchive({
        changeManifest: (manifest) => ({
          ...manifest,
          layers: (manifest.layers as Json[]).map((layer) => ({
            ...layer,
            urls: ['http://example.test/layer'],
          })),
        }),
      }),
    reason: /foreign/,
  },
  {
    name: 'a layer of an unknown media type',
    build: () => ociArchive({ layers: [{ ...FILE_LAYER, mediaType: `${MEDIA.layer.gzip}+encrypted` }] }),
    reason: /unknown media type/,
  },
  {
    name: 'a config with a NUL in a variable',
    build: () => ociArchive({ changeConfig: (config) => ({ ...config, config: { Env: ['A=b\u0000c'] } }) }),
    reason: /NUL/,
  },
  {
    name: 'a config with a volume that climbs',
    build: () =>
      ociArchive({ changeConfig: (config) => ({ ...config, config: { Volumes: { '/a/../..': {} } } }) }),
    reason: /volume at/,
  },
]
