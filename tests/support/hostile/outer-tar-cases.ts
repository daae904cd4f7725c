import type { HostileCase } from './cases.ts'
import { goodFacts, ociArchive } from './layout.ts'
import { firstBlob, good, plus, withBlob, withMembers } from './outer-changes.ts'
import { rawEntry } from './raw-tar.ts'

/** The tar as such. */
export const TAR: readonly HostileCase[] = [
  {
    name: 'a file of text',
    build: () => Buffer.from('hello, I am no archive\n'.repeat(100)),
    reason: /no archive that Icebox knows/,
  },
  {
    name: 'a few words',
    build: () => Buffer.from('hello'),
    reason: /no archive that Icebox knows/,
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
export const ENTRIES: readonly HostileCase[] = [
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
