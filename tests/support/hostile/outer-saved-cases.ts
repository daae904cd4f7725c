import { gzipSync } from 'node:zlib'
import type { HostileCase } from './cases.ts'
import { dockerArchive } from './layout.ts'
import { body, good } from './outer-changes.ts'
import { rawTar } from './raw-tar.ts'

/** Files that are compressed as a whole. */
export const COMPRESSED: readonly HostileCase[] = [
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
export const SAVED: readonly HostileCase[] = [
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
