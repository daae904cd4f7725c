import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { MEDIA } from '../../../src-main/artifacts/oci.ts'
import type { HostileCase } from './cases.ts'
import {
  blobName,
  digestOf,
  dockerArchive,
  FILE_LAYER,
  goodFacts,
  type LayoutSpec,
  ociArchive,
  ociLayout,
} from './layout.ts'
import { type RawEntry, rawEntry, rawTar } from './raw-tar.ts'

type Json = Record<string, unknown>

const good = (): Buffer => ociArchive({ facts: goodFacts() })
const withMembers = (changeMembers: NonNullable<LayoutSpec['changeMembers']>) => () =>
  ociArchive({ facts: goodFacts(), changeMembers })
const plus = (...entries: RawEntry[]) => withMembers((members) => [...members, ...entries])
const firstBlob = (members: readonly RawEntry[]): RawEntry => {
  const found = members.find(({ name }) => name.startsWith('blobs/'))
  if (!found) throw new Error('a layout has blobs')
  return found
}
/** A change of the first blob, which is the layer. */
const withBlob = (change: (blob: RawEntry) => RawEntry) =>
  withMembers((members) => members.map((member) => (member === firstBlob(members) ? change(member) : member)))
const without = (pattern: RegExp) =>
  withMembers((members) => members.filter(({ name }) => !pattern.test(name)))
const images = (index: Json) => index.manifests as Json[]
const body = (entry: RawEntry) => Buffer.from(entry.body ?? '')

/** An index that names itself cannot be made, so two that come close: a chain deeper than any sane one. */
function nested(depth: number): Buffer {
  return ociArchive({
    changeMembers: (members) => {
      const extra: RawEntry[] = []
      let descriptor = JSON.parse(body(members.at(-1) as RawEntry).toString()).manifests[0] as Json
      for (let at = 0; at < depth; at++) {
        const text = Buffer.from(
          JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [descriptor], at }),
        )
        extra.push({ name: blobName(digestOf(text)), body: text })
        descriptor = { mediaType: MEDIA.index, digest: digestOf(text), size: text.length }
      }
      const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [descriptor] })
      return [...members.slice(0, -1), ...extra, { name: 'index.json', body: index }]
    },
  })
}

/** The tar as such. */
const TAR: readonly HostileCase[] = [
  {
    name: 'a file of text',
    build: () => Buffer.from('hello, I am no archive\n'.repeat(100)),
    reason: /checksum|early/,
  },
  { name: 'a header that breaks off', build: () => good().subarray(0, 700), reason: /too early/ },
  {
    name: 'a blob that breaks off',
    build: () => good().subarray(0, good().indexOf('blobs/sha256') + 600),
    reason: /too early.*blobs\/sha256/,
  },
  {
    name: 'no end',
    build: () => ociArchive({ facts: goodFacts(), end: Buffer.alloc(0) }),
    reason: /too early/,
  },
  { name: 'a wrong checksum', build: withBlob((blob) => ({ ...blob, isBroken: true })), reason: /checksum/ },
  {
    name: 'garbage after the end',
    build: () => Buffer.concat([good(), Buffer.from('and one more thing')]),
    reason: /after its end/,
  },
  {
    name: 'a second archive after the end',
    build: () => Buffer.concat([good(), good()]),
    reason: /after its end/,
  },
  {
    name: 'a negative size',
    build: withBlob((blob) => ({ ...blob, size: '-0000000001' })),
    reason: /no number|negative/,
  },
  {
    name: 'a negative size in base 256',
    build: withBlob((blob) => ({ ...blob, size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00' })),
    reason: /negative/,
  },
  {
    name: 'a size that is no number',
    build: withBlob((blob) => ({ ...blob, size: '99999999999' })),
    reason: /no number/,
  },
  {
    name: 'a pax header that lies about the size',
    build: withBlob((blob) => ({ ...blob, pax: { size: '7' } })),
    reason: /two different sizes/,
  },
  {
    name: 'a global header that names all entries',
    build: () => {
      const record = Buffer.from('19 path=etc/passwd\n')
      return Buffer.concat([rawEntry({ name: 'g', type: 'g', body: record }), good()])
    },
    reason: /global/,
  },
  { name: 'an unknown type of entry', build: plus({ name: 'x', type: 'Z' }), reason: /unknown type/ },
]

/** Names and kinds of entries. */
const ENTRIES: readonly HostileCase[] = [
  {
    name: 'a name that climbs',
    build: plus({ name: '../evil', body: 'x' }),
    reason: /leads out.*|“..\/evil”/,
  },
  {
    name: 'a name that climbs from inside',
    build: plus({ name: 'blobs/../../evil', body: 'x' }),
    reason: /leads out/,
  },
  { name: 'an absolute name', build: plus({ name: '/etc/cron.d/evil', body: 'x' }), reason: /absolute/ },
  { name: 'a name with backslashes', build: plus({ name: '..\\evil', body: 'x' }), reason: /backslash/ },
  {
    name: 'a name longer than any path',
    build: plus({ name: 'a'.repeat(5000), body: 'x' }),
    reason: /5000 bytes/,
  },
  {
    name: 'a blob with a name that is no digest',
    build: plus({ name: 'blobs/sha256/evil', body: 'x' }),
    reason: /not named by a digest/,
  },
  {
    name: 'a blob that is a symbolic link',
    build: withBlob((blob) => ({ name: blob.name, type: '2', link: '/etc/passwd' })),
    reason: /symbolic link/,
  },
  {
    name: 'a blob that is a hard link',
    build: withBlob((blob) => ({ name: blob.name, type: '1', link: 'index.json' })),
    reason: /hard link/,
  },
  { name: 'a device', build: plus({ name: 'dev', type: '3', device: [1, 3] }), reason: /device/ },
  { name: 'a pipe', build: plus({ name: 'pipe', type: '6' }), reason: /pipe/ },
  {
    name: 'the same blob twice',
    build: withMembers((members) => [...members, firstBlob(members)]),
    reason: /there twice/,
  },
  {
    name: 'two index.json',
    build: withMembers((members) => [...members, { name: './index.json', body: '{}' }]),
    reason: /there twice/,
  },
  {
    name: 'names that differ in case only',
    build: plus({ name: 'Index.JSON', body: '{}' }),
    reason: /the same to some systems/,
  },
  {
    name: 'more entries than any image has',
    build: plus(...Array.from({ length: 20_001 }, (_, at) => ({ name: `junk-${at}` }))),
    reason: /more than 20000 entries/,
  },
]

/** The layout and its documents. */
const DOCUMENTS: readonly HostileCase[] = [
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

/** Files that are compressed as a whole. */
const COMPRESSED: readonly HostileCase[] = [
  {
    name: 'a compressed file that breaks off',
    build: () => gzipSync(good()).subarray(0, 900),
    reason: /damaged or breaks off/,
  },
  {
    name: 'a compressed file with a flipped bit',
    build: () => {
      const bytes = gzipSync(good())
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff
      return bytes
    },
    reason: /damaged or breaks off|checksum|digest|early/,
  },
  {
    name: 'a compressed file that unfolds without end',
    build: () => gzipSync(rawTar([{ name: 'zeros', body: Buffer.alloc(100 << 20) }]), { level: 1 }),
    reason: /times its size/,
  },
  {
    name: 'an unknown compression',
    build: () => Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), Buffer.alloc(500)]),
    reason: /xz/,
  },
]

/** What `docker save` writes, gone wrong. */
const SAVED: readonly HostileCase[] = [
  {
    name: 'two saved images',
    build: () =>
      dockerArchive({ changeList: (list) => [...list, { ...list[0], RepoTags: ['other/thing:2'] }] }),
    reason: /several images.*saved\/thing:1.*other\/thing:2/,
  },
  {
    name: 'a saved list of nothing',
    build: () => dockerArchive({ changeList: () => [] }),
    reason: /no image/,
  },
  {
    name: 'a saved list that is no list',
    build: () => dockerArchive({ changeList: () => ({ Config: 'x' }) }),
    reason: /manifest\.json/,
  },
  {
    name: 'a saved layer that is missing',
    build: () => dockerArchive({ changeList: (list) => [{ ...list[0], Layers: ['nowhere/layer.tar'] }] }),
    reason: /layer "nowhere\/layer\.tar" is missing/,
  },
  {
    name: 'a saved layer that climbs',
    build: () => dockerArchive({ changeList: (list) => [{ ...list[0], Layers: ['../../etc/shadow.tar'] }] }),
    reason: /is missing/,
  },
  {
    name: 'a saved config under another name',
    build: () =>
      dockerArchive({
        changeMembers: (members) =>
          members.map((member) =>
            /^[0-9a-f]{64}\.json$/.test(member.name) ? { ...member, body: `${body(member)} ` } : member,
          ),
      }),
    reason: /another digest than its name/,
  },
  {
    name: 'a saved layer that is a link out',
    build: () =>
      dockerArchive({
        changeMembers: (members) =>
          members.map((member) =>
            member.name.endsWith('layer.tar')
              ? { name: member.name, type: '2', link: '../../../etc/passwd.tar' }
              : member,
          ),
      }),
    reason: /symbolic link/,
  },
  {
    name: 'a saved layer with another content',
    build: () =>
      dockerArchive({
        changeMembers: (members) =>
          members.map((member) =>
            member.name.endsWith('layer.tar')
              ? { ...member, body: rawTar([{ name: 'other', body: 'content' }]) }
              : member,
          ),
      }),
    reason: /unfolds to/,
  },
]

/** Facts, volumes and thin archives that lie. */
const facts =
  (changes: Parameters<typeof goodFacts>[0], spec: LayoutSpec = {}) =>
  () =>
    ociArchive({ facts: goodFacts(changes), ...spec })
const DATA = { content: rawTar([{ name: 'data/', type: '5' }]), destination: '/data' }

const FACTS: readonly HostileCase[] = [
  { name: 'facts of another version', build: facts({ rest: { version: 2 } }), reason: /facts .*version/ },
  { name: 'a slug that climbs', build: facts({ bottle: { slug: '../x' } }), reason: /"\.\.\/x"/ },
  {
    name: 'a snapshot id that is none',
    build: facts({ snapshot: { id: '../../x' } }),
    reason: /snapshot\.id/,
  },
  { name: 'a parent that is a path', build: facts({ snapshot: { parent: '../../x' } }), reason: /parent/ },
  {
    name: 'an agent with control characters',
    build: facts({ bottle: { agent: 'a\u001b[2Jb' } }),
    reason: /agent/,
  },
  {
    name: 'a bottle name that climbs',
    build: facts({ bottle: { bottleNames: ['../../etc/x'] } }),
    reason: /bottle "/,
  },
  {
    name: 'a secret that is no name',
    build: facts({ bottle: { secretNames: ['A=B; rm'] } }),
    reason: /secret/,
  },
  {
    name: 'a definition that climbs',
    build: facts({ definitions: { agents: { '../../agents/claude': 'x' } } }),
    reason: /definition/,
  },
  { name: 'a date that is none', build: facts({ snapshot: { createdAt: 'yesterday' } }), reason: /made at/ },
  {
    name: 'a definition of megabytes',
    build: facts({ definitions: { agents: { big: 'x'.repeat(300_000) } } }),
    reason: /definitions\.agents/,
  },
  {
    name: 'a volume that climbs',
    build: facts({}, { volumes: [{ ...DATA, destination: '/data/../../etc' }] }),
    reason: /volume at/,
  },
  {
    name: 'a volume at a relative path',
    build: facts({}, { volumes: [{ ...DATA, destination: 'data' }] }),
    reason: /volume at/,
  },
  {
    name: 'two volumes at one place',
    build: facts({}, { volumes: [DATA, { ...DATA, pack: 'zstd' }] }),
    reason: /two volumes/,
  },
  {
    name: 'a volume with another content',
    build: facts(
      {},
      { volumes: [{ ...DATA, fact: { sha256: createHash('sha256').update('x').digest('hex') } }] },
    ),
    reason: /volume \/data.*unfolds to/,
  },
  {
    name: 'a volume that lies about its size',
    build: facts({}, { volumes: [{ ...DATA, fact: { bytes: 12 } }] }),
    reason: /not to 12/,
  },
  {
    name: 'a volume that says it is elsewhere',
    build: facts({}, { volumes: [{ ...DATA, fact: { destination: '/other' } }] }),
    reason: /belongs to "\/data" and to "\/other"/,
  },
  {
    name: 'volumes that no fact knows',
    build: () =>
      ociArchive({
        facts: goodFacts(),
        volumes: [DATA],
        changeParts: (parts) => ({
          ...parts,
          layers: [...(parts.layers as Json[]), ...(parts.layers as Json[])],
        }),
      }),
    reason: /1 volumes, but 2/,
  },
  {
    name: 'parts of another image',
    build: () =>
      ociArchive({
        facts: goodFacts(),
        changeParts: (parts) => ({
          ...parts,
          subject: { ...(parts.subject as Json), digest: digestOf(Buffer.from('another')) },
        }),
      }),
    reason: /belongs to another image/,
  },
  {
    name: 'parts that are missing',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({
            ...image,
            annotations: { 'dev.icebox.parts': digestOf(Buffer.from('parts')) },
          })),
        }),
      }),
    reason: /parts manifest .* is missing/,
  },
  {
    name: 'parts that are a path',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({
            ...image,
            annotations: { 'dev.icebox.parts': 'sha256:../../../../../etc/passwd' },
          })),
        }),
      }),
    reason: /no sha256 digest/,
  },
  {
    name: 'a thin archive whose base is nowhere',
    build: () =>
      ociArchive({ facts: goodFacts(), layers: [FILE_LAYER, { content: rawTar([{ name: 'a' }]) }], thin: 1 }),
    reason: new RegExp(digestOf(FILE_LAYER.content).slice(0, 19)),
    code: 'artifact-base-missing',
  },
  {
    name: 'a thin archive that leaves out more than there is',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '9' } })),
        }),
      }),
    reason: /leaves out 9 of 1/,
  },
  {
    name: 'a thin archive that leaves out no number',
    build: () =>
      ociArchive({
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '-1' } })),
        }),
      }),
    reason: /leaves out "-1"/,
  },
  {
    name: 'a thin archive that leaves out an upper layer',
    build: () =>
      ociArchive({
        layers: [FILE_LAYER, { content: rawTar([{ name: 'a' }]) }],
        thin: 2,
        changeIndex: (index) => ({
          ...index,
          manifests: images(index).map((image) => ({ ...image, annotations: { 'dev.icebox.thin': '1' } })),
        }),
      }),
    reason: /layer 2 .* is missing/,
  },
]

export const OUTER_CASES: readonly HostileCase[] = [
  ...TAR,
  ...ENTRIES,
  ...DOCUMENTS,
  ...COMPRESSED,
  ...SAVED,
  ...FACTS,
]
