import { MEDIA } from '../../../src-main/artifacts/oci.ts'
import { blobName, digestOf, goodFacts, type LayoutSpec, ociArchive } from './layout.ts'
import type { RawEntry } from './raw-tar.ts'

export type Json = Record<string, unknown>

export const good = (): Buffer => ociArchive({ facts: goodFacts() })
export const withMembers = (changeMembers: NonNullable<LayoutSpec['changeMembers']>) => () =>
  ociArchive({ facts: goodFacts(), changeMembers })
export const plus = (...entries: RawEntry[]) => withMembers((members) => [...members, ...entries])
export const firstBlob = (members: readonly RawEntry[]): RawEntry => {
  const found = members.find(({ name }) => name.startsWith('blobs/'))
  if (!found) throw new Error('a layout has blobs')
  return found
}
/** A change of the first blob, which is the layer. */
export const withBlob = (change: (blob: RawEntry) => RawEntry) =>
  withMembers((members) => members.map((member) => (member === firstBlob(members) ? change(member) : member)))
export const without = (pattern: RegExp) =>
  withMembers((members) => members.filter(({ name }) => !pattern.test(name)))
export const images = (index: Json) => index.manifests as Json[]
export const body = (entry: RawEntry) => Buffer.from(entry.body ?? '')

/** An index that names itself cannot be made, so two that come close: a chain deeper than any sane one. */
export function nested(depth: number): Buffer {
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
