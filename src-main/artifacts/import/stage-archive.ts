import type { ReportProgress } from '../../backends/backend.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { requireSpace } from '../../system/disk-space.ts'
import { printable } from '../../workers/printable.ts'
import { createTarDecoder, type TarDecoder } from '../../workers/tar/decoder.ts'
import type { TarEntry } from '../../workers/tar/entry.ts'
import type { Workers } from '../../workers/types.ts'
import type { ArtifactStore, Staging } from '../store/types.ts'
import { type BlobWriter, createBlobWriter, type StagedFile } from './blob-writer.ts'
import { entryName, linkedName, roleOf, twinKey } from './entry-names.ts'
import { invalid } from './invalid.ts'
import { ENTRIES_MAX, type ImportLimits, JSON_MAX } from './limits.ts'
import { type ArchiveSource, openSource } from './open-source.ts'
import { resolveArchive } from './resolve-archive.ts'
import type { StagedImage } from './types.ts'

export interface StageDeps {
  readonly store: ArtifactStore
  readonly workers: Workers
  readonly limits: ImportLimits
  readonly progress: ReportProgress
}

/** What reading any other file as a tar comes to, before its first entry. */
const NO_ARCHIVE: ReadonlySet<string> = new Set(['tar: checksum', 'tar: truncated'])

/** What an archive held, by names; extra files were read past. */
export interface ArchiveContent {
  /** `oci-layout`, `index.json`, `manifest.json`. */
  readonly documents: ReadonlyMap<string, Buffer>
  readonly files: ReadonlyMap<string, StagedFile>
  /** Layers that are links to other layers. */
  readonly links: ReadonlyMap<string, string>
}

/**
 * Reads an archive once, from a file or a stream, into a staging folder of the store, and finds the one image in it.
 * Icebox's own form, OCI layouts and what `docker save` and `podman save` write are known. A failure leaves nothing.
 * @throws BottleError `artifact-invalid`, `not-found`, `unsupported`, `disk-full`, `cancelled`
 */
export async function stageArchive(
  source: ArchiveSource,
  deps: StageDeps,
  signal: AbortSignal,
): Promise<StagedImage> {
  const archive = await openSource(source, deps.limits, signal)
  try {
    const staging = await deps.store.stage('import')
    try {
      await requireSpace(staging.dir, 'This import', archive.bytes ?? 0, deps.limits.freeBytes)
      const content = await readArchive(archive.content, staging, deps, signal, () =>
        deps.progress({ phase: 'reading', current: archive.taken(), total: archive.bytes }),
      )
      return await resolveArchive(content, { staging, store: deps.store }, archive.name)
    } catch (thrown) {
      await staging.release()
      throw thrown
    }
  } finally {
    await archive.close()
  }
}

async function readArchive(
  content: AsyncIterable<Uint8Array>,
  staging: Staging,
  deps: StageDeps,
  signal: AbortSignal,
  tell: () => void,
): Promise<ArchiveContent> {
  const collector = createCollector(staging, deps, signal)
  const decoder = createTarDecoder()
  try {
    for await (const chunk of content) {
      if (signal.aborted) throw bottleError('cancelled')
      decoder.feed(chunk)
      await pull(decoder, collector)
      tell()
    }
    decoder.finish()
  } catch (thrown) {
    await collector.abandon()
    // The reader of tars knows no entry, this loop does.
    if (!isBottleError(thrown) || thrown.code !== 'artifact-invalid') throw thrown
    if (!thrown.detail?.startsWith('tar: ')) throw thrown
    const at = collector.current()
    if (at === null && NO_ARCHIVE.has(thrown.detail)) {
      throw invalid('it is no archive that Icebox knows, neither a .bottle file nor one of an image.', thrown)
    }
    throw invalid(`${thrown.message}${at === null ? '' : ` The last entry was “${at}”.`}`, thrown)
  }
  return collector.content()
}

async function pull(decoder: TarDecoder, collector: Collector): Promise<void> {
  for (let event = decoder.next(); event; event = decoder.next()) {
    if (event.kind === 'entry') {
      if (!collector.begin(event.entry)) decoder.skip()
    } else if (event.kind === 'data') await collector.write(event.bytes)
    else if (event.kind === 'done') await collector.end()
  }
}

interface Collector {
  /** False when the entry's content is not wanted. */
  begin(entry: TarEntry): boolean
  write(bytes: Buffer): Promise<void>
  end(): Promise<void>
  abandon(): Promise<void>
  /** The entry at hand, as a message may show it. */
  current(): string | null
  content(): ArchiveContent
}

function createCollector(staging: Staging, deps: StageDeps, signal: AbortSignal): Collector {
  const documents = new Map<string, Buffer>()
  const files = new Map<string, StagedFile>()
  const links = new Map<string, string>()
  const seen = new Map<string, string>()
  let entries = 0
  let name = ''
  let title: string | null = null
  let writer: BlobWriter | null = null
  let text: Buffer[] | null = null

  const note = (entry: TarEntry): void => {
    name = entryName(entry)
    title = printable(entry.path)
    if (++entries > ENTRIES_MAX) throw invalid(`it has more than ${ENTRIES_MAX} entries.`)
    if (entry.type === 'folder') return
    const twin = seen.get(twinKey(name))
    if (twin === name) throw invalid(`its entry “${title}” is there twice.`)
    if (twin !== undefined)
      throw invalid(`its entries “${printable(twin)}” and “${title}” are the same to some systems.`)
    seen.set(twinKey(name), name)
  }

  return {
    begin(entry) {
      note(entry)
      if (entry.type === 'folder') return false
      if (entry.type === 'symlink') {
        links.set(name, linkedName(name, entry.link))
        return false
      }
      if (entry.type !== 'file') throw invalid(`its entry “${title}” is a ${WORDS[entry.type]}.`)
      if (entry.isSparse) throw invalid(`its entry “${title}” is a sparse file.`)
      const role = roleOf(name)
      if (role === 'extra') return false
      if ((role === 'document' || role === 'config') && entry.size > JSON_MAX) {
        throw invalid(`its entry “${title}” is larger than ${JSON_MAX >> 20} MB.`)
      }
      if (role === 'document') text = []
      else writer = createBlobWriter(staging, deps.workers, signal)
      return true
    },
    async write(bytes) {
      // Copied, since the reader uses its memory again.
      if (text) text.push(Buffer.from(bytes))
      else await writer?.write(bytes)
    },
    async end() {
      if (text) documents.set(name, Buffer.concat(text))
      text = null
      const file = await writer?.end()
      writer = null
      if (!file) return
      const named = `sha256:${name.slice('blobs/sha256/'.length)}`
      if (roleOf(name) === 'blob' && file.digest !== named) {
        throw invalid(`its blob “${title}” has another digest than its name: ${file.digest}.`)
      }
      files.set(name, file)
    },
    abandon: async () => {
      await writer?.abandon()
    },
    current: () => title,
    content: () => ({ documents, files, links }),
  }
}

const WORDS = {
  hardlink: 'hard link',
  char: 'device',
  block: 'device',
  pipe: 'pipe',
} as const
