import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import { readTar } from '../../workers/tar/read-tar.ts'
import type { Workers } from '../../workers/types.ts'
import { managerOf, PACKAGE_FILE_MAX } from '../packages/package-files.ts'
import type { LayerReader, LayerSource } from './layer-reader.ts'

/** A tar's own spelling of a path as listings have it. */
function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/**
 * The content of some files of a layer, by path; files larger than the bound and those that are not there are left
 * out. The layer is read as a stream and only these files are held.
 */
export async function readLayerFiles(
  workers: Workers,
  reader: LayerReader,
  source: LayerSource,
  diffId: string,
  isWanted: (path: string, size: number) => boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const { file, codec } = await reader.content(source, diffId, signal)
  const found = new Map<string, Buffer>()
  await readTar(
    workers.unpack(file, codec, signal),
    (entry) => {
      const path = plainPath(entry.path)
      if (entry.type !== 'file' || !isWanted(path, entry.size)) return 'skip'
      const chunks: Buffer[] = []
      return {
        // A piece is only lent.
        write: (chunk) => void chunks.push(Buffer.from(chunk)),
        end: () => void found.set(path, Buffer.concat(chunks)),
      }
    },
    { endOptional: true },
  )
  return found
}

/**
 * The package lists of a layer, path → text. All of them are read at once and kept beside the layer's listing, so
 * that a base image is read for them once.
 */
export async function readPackageLists(
  workers: Workers,
  reader: LayerReader,
  source: LayerSource,
  diffId: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const file = reader.cache.packagesFile(diffId)
  const kept = await readJsonObject(file)
  if (kept.kind === 'ok') {
    return new Map(Object.entries(kept.value).map(([path, text]) => [path, String(text)]))
  }
  const isWanted = (path: string, size: number) => size <= PACKAGE_FILE_MAX && managerOf(path) !== null
  const raw = await readLayerFiles(workers, reader, source, diffId, isWanted, signal)
  const lists = new Map([...raw].map(([path, bytes]) => [path, bytes.toString('utf8')]))
  await writeDurable(file, JSON.stringify(Object.fromEntries(lists)))
  return lists
}
