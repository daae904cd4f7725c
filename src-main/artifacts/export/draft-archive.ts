import { toBottleError } from '../../system/bottle-error.ts'
import type { StoredLayer } from '../store/types.ts'
import type { ArchiveFile } from './archive-file.ts'
import { type ArchiveMember, blobMember, LAYOUT_MEMBER } from './plan-archive.ts'
import { type ArchiveSink, type ArchiveSource, archiveBytes, writeEnd, writeMember } from './write-archive.ts'

/**
 * An archive that is begun while its layers are still being read. What is written before the plan is known is a guess;
 * where the plan differs from it (a search for secrets has changed a layer), the file is cut back to there.
 */
export interface DraftArchive {
  /** The next layer from the bottom. */
  readonly addLayer: (layer: StoredLayer) => void
  /** Makes it the planned archive, whatever was guessed. */
  readonly complete: (members: readonly ArchiveMember[]) => Promise<void>
  /** Waits until nothing is being written. */
  readonly settle: () => Promise<void>
}

export function draftArchive(sink: ArchiveFile, source: ArchiveSource): DraftArchive {
  const written: ArchiveMember[] = []
  const names = new Set<string>()
  let tail: Promise<void> = Promise.resolve()
  let failure: unknown
  const add = (member: ArchiveMember): void => {
    if (names.has(member.name)) return
    names.add(member.name)
    tail = tail
      .then(async () => {
        if (failure) return
        await writeMember(source, member, sink)
        written.push(member)
      })
      .catch((error: unknown) => {
        failure ??= error
      })
  }
  return {
    addLayer(layer) {
      // Nobody should read the rest of a gigabyte for a disk that is full.
      if (failure) throw toBottleError(failure)
      if (names.size === 0) add(LAYOUT_MEMBER)
      add(blobMember(layer))
    },
    async complete(members) {
      await tail
      if (failure) throw toBottleError(failure)
      const differs = written.findIndex((member, at) => member.name !== members[at]?.name)
      const kept = differs === -1 ? written.length : differs
      // Its end is not written yet, hence without the two empty blocks.
      if (kept < written.length) {
        const [now, then] = [bytesOf(written), bytesOf(written.slice(0, kept))]
        await sink.cut(then)
        source.onBytes(then - now)
      }
      for (const member of members.slice(kept)) await writeMember(source, member, sink)
      await writeEnd(source, sink)
    },
    settle: () => tail,
  }
}

function bytesOf(members: readonly ArchiveMember[]): number {
  return archiveBytes(members) - archiveBytes([])
}

/** The same for a target that can't go back: it waits for the plan. */
export function plainArchive(sink: ArchiveSink, source: ArchiveSource): DraftArchive {
  return {
    addLayer: () => undefined,
    async complete(members) {
      for (const member of members) await writeMember(source, member, sink)
      await writeEnd(source, sink)
    },
    settle: async () => undefined,
  }
}
