import { open } from 'node:fs/promises'
import { isMissing } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ArtifactStore } from '../store/types.ts'
import type { ArchiveMember } from './plan-archive.ts'
import { TAR_BLOCK, tarBytes, tarHeader, tarPadding } from './tar-header.ts'

const CHUNK_BYTES = 1 << 20

/** Where an archive goes; `write` resolves once more may come. The chunk may be used again afterwards. */
export interface ArchiveSink {
  write(chunk: Uint8Array): Promise<void>
}

export interface ArchiveSource {
  readonly store: ArtifactStore
  /** Told of what was written; negative when some of it is taken back. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal
}

/** Bytes of the whole archive. Pure. */
export function archiveBytes(members: readonly ArchiveMember[]): number {
  return tarBytes(members.map((member) => member.size))
}

/** Writes one file of the archive: header, content, and zeros up to the next block. */
export async function writeMember(
  source: ArchiveSource,
  member: ArchiveMember,
  sink: ArchiveSink,
): Promise<void> {
  if (source.signal.aborted) throw bottleError('cancelled')
  await sink.write(tarHeader(member.name, member.size))
  if ('bytes' in member) await sink.write(member.bytes)
  else await writeBlob(source, member.digest, member.size, sink)
  const padding = tarPadding(member.size)
  if (padding > 0) await sink.write(Buffer.alloc(padding))
  source.onBytes(TAR_BLOCK + member.size + padding)
}

/** The two empty blocks that end a tar. */
export async function writeEnd(source: ArchiveSource, sink: ArchiveSink): Promise<void> {
  await sink.write(Buffer.alloc(2 * TAR_BLOCK))
  source.onBytes(2 * TAR_BLOCK)
}

async function writeBlob(
  { store, signal }: ArchiveSource,
  digest: string,
  size: number,
  sink: ArchiveSink,
): Promise<void> {
  const handle = await open(store.blobPath(digest), 'r').catch((error: unknown) => {
    throw isMissing(error) ? lost(digest) : error
  })
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(CHUNK_BYTES, size)))
    for (let left = size; left > 0; ) {
      if (signal.aborted) throw bottleError('cancelled')
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left))
      if (bytesRead === 0) throw lost(digest)
      await sink.write(buffer.subarray(0, bytesRead))
      left -= bytesRead
    }
  } finally {
    await handle.close()
  }
}

function lost(digest: string): Error {
  return bottleError('internal', 'A part of the artifact store is gone while it was read. Export again.', {
    detail: digest,
  })
}
