import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { HostileCase } from './cases.ts'
import { FILE_LAYER, goodFacts, type LayerSpec, ociArchive } from './layout.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

const layer = (spec: LayerSpec) => () => ociArchive({ facts: goodFacts(), layers: [FILE_LAYER, spec] })
const layerOf = (...entries: RawEntry[]) => layer({ content: rawTar(entries) })
const volumeOf =
  (...entries: RawEntry[]) =>
  () =>
    ociArchive({ facts: goodFacts(), volumes: [{ destination: '/data', content: rawTar(entries) }] })

const DATA: RawEntry = { name: 'data/', type: '5' }
const plain = rawTar([{ name: 'file', body: 'content '.repeat(10_000) }])
/** Bytes that no codec makes smaller, the same in every run. */
const noise = Buffer.concat(
  Array.from({ length: 500 }, (_, at) => createHash('sha256').update(`${at}`).digest()),
)
const noisy = rawTar([{ name: 'noise', body: noise }])

/** Entries inside a layer. */
const LAYERS: readonly HostileCase[] = [
  { name: 'layer: an absolute name', build: layerOf({ name: '/etc/passwd', body: 'x' }), reason: /absolute/ },
  {
    name: 'layer: a name that climbs',
    build: layerOf({ name: '../../etc/passwd', body: 'x' }),
    reason: /\.\./,
  },
  {
    name: 'layer: a name that climbs from inside',
    build: layerOf({ name: 'a/../../b', body: 'x' }),
    reason: /\.\./,
  },
  {
    name: 'layer: a NUL in a name',
    build: layerOf({ name: 'x', body: 'x', pax: { path: 'etc/pass\u0000wd' } }),
    reason: /NUL/,
  },
  {
    name: 'layer: a file written through a link',
    build: layerOf({ name: 'out', type: '2', link: '/tmp' }, { name: 'out/evil', body: 'x' }),
    reason: /through the link/,
  },
  {
    name: 'layer: a hard link that climbs',
    build: layerOf({ name: 'h', type: '1', link: '../../etc/shadow' }),
    reason: /hard link/,
  },
  {
    name: 'layer: a hard link to an absolute path',
    build: layerOf({ name: 'h', type: '1', link: '/etc/shadow' }),
    reason: /hard link/,
  },
  {
    name: 'layer: a hard link to a symbolic link, then written through',
    build: layerOf(
      { name: 'l', type: '2', link: '/etc' },
      { name: 'h', type: '1', link: 'l' },
      { name: 'h/evil', body: 'x' },
    ),
    reason: /link/,
  },
  {
    name: 'layer: a device where none belongs',
    build: layerOf({ name: 'home/', type: '5' }, { name: 'home/sda', type: '4', device: [8, 0] }),
    reason: /device/,
  },
  {
    name: 'layer: a false mark of removal',
    build: layerOf({ name: 'etc/.wh...', body: '' }),
    reason: /mark/,
  },
  {
    name: 'layer: a mark of removal with content',
    build: layerOf({ name: '.wh.etc', body: 'x' }),
    reason: /mark/,
  },
  {
    name: 'layer: a mark of removal that is a link',
    build: layerOf({ name: '.wh.etc', type: '2', link: '/etc' }),
    reason: /mark/,
  },
  {
    name: 'layer: a file both there and removed',
    build: layerOf({ name: 'a', body: 'x' }, { name: '.wh.a' }),
    reason: /removed/,
  },
  {
    name: 'layer: a file there twice',
    build: layerOf({ name: 'a', body: 'x' }, { name: './a', body: 'y' }),
    reason: /twice/,
  },
  {
    name: 'layer: a file that is a parent',
    build: layerOf({ name: 'a', body: 'x' }, { name: 'a/b', body: 'y' }),
    reason: /no folder/,
  },
  {
    name: 'layer: a pax header that lies about the size',
    build: layerOf({ name: 'a', body: 'x'.repeat(600), pax: { size: '5' } }),
    reason: /sizes/,
  },
  {
    name: 'layer: a negative size',
    build: layerOf({ name: 'a', size: '-0000000001' }),
    reason: /number|negative/,
  },
  {
    name: 'layer: a wrong checksum',
    build: layerOf({ name: 'a', body: 'x', isBroken: true }),
    reason: /checksum/,
  },
  {
    name: 'layer: content of a folder',
    build: layerOf({ name: 'a/', type: '5', body: 'x' }),
    reason: /content|checksum/,
  },
  { name: 'layer: an unknown type', build: layerOf({ name: 'a', type: 'Q' }), reason: /unknown type/ },
  {
    name: 'layer: no tar at all',
    build: layer({ content: Buffer.from('x'.repeat(2000)) }),
    reason: /checksum/,
  },
  {
    name: 'layer: garbage after its end',
    build: layer({ content: Buffer.concat([plain, Buffer.alloc(512, 'x')]) }),
    reason: /after its end/,
  },
  {
    name: 'layer: a tar that breaks off',
    build: layer({ content: plain.subarray(0, 3000) }),
    reason: /early/,
  },
]

/** How a layer is compressed. */
const PACKED: readonly HostileCase[] = [
  {
    name: 'layer: gzip that breaks off',
    build: layer({ content: noisy, blob: gzipSync(noisy).subarray(0, 400) }),
    reason: /layer 2/,
  },
  {
    name: 'layer: garbage after gzip',
    build: layer({ content: plain, blob: Buffer.concat([gzipSync(plain), Buffer.from('garbage')]) }),
    reason: /layer 2/,
  },
  {
    name: 'layer: a second gzip member that breaks off',
    build: layer({
      content: Buffer.concat([plain.subarray(0, 512), plain.subarray(512)]),
      blob: Buffer.concat([gzipSync(plain.subarray(0, 512)), gzipSync(plain.subarray(512)).subarray(0, 50)]),
    }),
    reason: /layer 2/,
  },
  {
    name: 'layer: zstd that breaks off',
    build: layer({ content: noisy, pack: 'zstd', blob: zstdCompressSync(noisy).subarray(0, 400) }),
    reason: /layer 2/,
  },
  {
    name: 'layer: the second of two zstd frames breaks off',
    build: layer({
      content: Buffer.concat([plain, noisy]),
      pack: 'zstd',
      blob: Buffer.concat([zstdCompressSync(plain), zstdCompressSync(noisy).subarray(0, 300)]),
    }),
    reason: /layer 2/,
  },
  {
    name: 'layer: gzip that says it is zstd',
    build: layer({ content: plain, pack: 'zstd', blob: gzipSync(plain) }),
    reason: /layer 2/,
  },
  {
    name: 'layer: a bomb by ratio',
    build: () => {
      const content = rawTar([{ name: 'zeros', body: Buffer.alloc(100 << 20) }])
      return ociArchive({ layers: [{ content, blob: gzipSync(content, { level: 1 }) }] })
    },
    reason: /times its size/,
  },
  {
    name: 'layer: a bomb of holes',
    build: layerOf({
      name: 'hole',
      pax: {
        'GNU.sparse.major': '0',
        'GNU.sparse.minor': '1',
        'GNU.sparse.name': 'hole',
        'GNU.sparse.size': '9000000000000',
        'GNU.sparse.map': '',
      },
    }),
    reason: /times its size|more than/,
  },
  {
    name: 'layer: a bomb by count',
    build: layerOf(...Array.from({ length: 3000 }, (_, at) => ({ name: `f${at}` }))),
    reason: /entry more than the 2500/,
  },
]

/** Entries inside a volume. */
const VOLUMES: readonly HostileCase[] = [
  {
    name: 'volume: a name that climbs',
    build: volumeOf(DATA, { name: 'data/../../etc/x', body: 'x' }),
    reason: /volume \/data.*\.\./,
  },
  {
    name: 'volume: an absolute name',
    build: volumeOf(DATA, { name: '/etc/x', body: 'x' }),
    reason: /absolute/,
  },
  {
    name: 'volume: a file written through a link',
    build: volumeOf(DATA, { name: 'data/out', type: '2', link: '/' }, { name: 'data/out/evil', body: 'x' }),
    reason: /through the link/,
  },
  {
    name: 'volume: a hard link to nothing',
    build: volumeOf(DATA, { name: 'data/h', type: '1', link: 'etc/shadow' }),
    reason: /hard link/,
  },
  {
    name: 'volume: a device',
    build: volumeOf(DATA, { name: 'data/sda', type: '4', device: [8, 0] }),
    reason: /device/,
  },
  {
    name: 'volume: a file there twice',
    build: volumeOf(DATA, { name: 'data/a', body: 'x' }, { name: 'data/a', body: 'y' }),
    reason: /twice/,
  },
]

export const INNER_CASES: readonly HostileCase[] = [...LAYERS, ...PACKED, ...VOLUMES]
