import { open } from 'node:fs/promises'
import type { LayerFile } from '../../backends/portable.ts'
import type { Workers } from '../../workers/types.ts'
import type { ReadImage } from './read-staged.ts'
import type { VerifiedLayer } from './verify-content.ts'

/** Smaller archives are read through in a moment, so nothing is gained by loading them meanwhile. */
const WORTH_IT = 32 * 1024 * 1024
/** From here on the length at the end of a gzip file may have wrapped around. */
const GZIP_MAX = 512 * 1024 * 1024

/**
 * Layers to give an engine while they are still verified, with the length that each blob says of itself; a wrong one
 * ends the load, and the right one is known by then. Null when a length can't be had, or when it is not worth it.
 */
export async function earlyLayers(
  image: ReadImage,
  bases: ReadonlyMap<string, VerifiedLayer>,
  workers: Workers,
): Promise<ReadonlyMap<string, LayerFile> | null> {
  const packed = image.layers.reduce((sum, { place }) => sum + (place?.bytes ?? 0), 0)
  if (packed < WORTH_IT) return null
  const files = new Map<string, LayerFile>()
  for (const { diffId, codec, place } of image.layers) {
    const base = bases.get(diffId)
    const file = place?.file ?? base?.file
    if (file === undefined) continue
    const bytes = base?.contentBytes ?? (codec === 'gzip' ? await gzipLength(file) : null)
    if (bytes === null) return null
    const used = base?.codec ?? codec
    files.set(diffId, { diffId, bytes, open: (signal) => workers.unpack(file, used, signal) })
  }
  return files
}

/** The length that a gzip file's last bytes tell: right for one member of less than 4 GB. */
async function gzipLength(file: string): Promise<number | null> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    if (size < 18 || size > GZIP_MAX) return null
    const end = Buffer.alloc(4)
    await handle.read(end, 0, 4, size - 4)
    const length = end.readUInt32LE(0)
    // A tar has whole blocks; anything else is no length, or the last of several.
    return length > 0 && length % 512 === 0 ? length : null
  } finally {
    await handle.close()
  }
}
