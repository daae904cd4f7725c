import { type FileHandle, open } from 'node:fs/promises'
import { z } from 'zod'
import { bottleError } from '../../system/bottle-error.ts'
import { shown } from './invalid.ts'

/** The last bytes of a pack: mark, version, five numbers, a checksum. */
const FOOTER = 64
const MARK = 'SMOLPACK'
const MANIFEST_MAX = 1024 * 1024

const PackManifest = z.looseObject({
  mode: z.string().nullish(),
  image: z.string().nullish(),
  platform: z.string().nullish(),
  checkpoint: z.unknown().optional(),
})

/** True for a file that ends as a pack or a checkpoint of smolvm does. A missing one is none. */
export async function isSmolmachine(path: string): Promise<boolean> {
  const handle = await open(path, 'r').catch(() => null)
  if (!handle) return false
  try {
    const found = await handle.stat()
    return found.isFile() && (await footerOf(handle, found.size)) !== null
  } finally {
    await handle.close()
  }
}

async function footerOf(file: FileHandle, size: number): Promise<Buffer | null> {
  if (size < FOOTER) return null
  const footer = Buffer.alloc(FOOTER)
  await file.read(footer, 0, FOOTER, size - FOOTER)
  return footer.toString('latin1', 0, MARK.length) === MARK ? footer : null
}

/**
 * Tells a pack of smolvm by its footer and refuses it with what its manifest says: its disks are in a form that only
 * smolvm reads, so an image can't be made of it where that is not installed.
 * @throws BottleError `unsupported`
 */
export async function refuseSmolmachine(file: FileHandle, size: number): Promise<void> {
  const footer = await footerOf(file, size)
  if (!footer) return
  const version = footer.readUInt32LE(8)
  const offset = footer.readBigUInt64LE(36)
  const length = footer.readBigUInt64LE(44)
  const manifest = await readManifest(file, offset, length, size)
  const facts = [
    manifest?.image ? `image ${shown(manifest.image)}` : null,
    manifest?.platform ? `for ${shown(manifest.platform)}` : null,
  ].filter((fact) => fact !== null)
  const what = manifest?.checkpoint === undefined ? 'a pack' : 'a checkpoint with memory'
  const known = facts.length > 0 ? ` (${facts.join(', ')})` : ''
  throw bottleError(
    'unsupported',
    `This is ${what} of smolvm${known}, version ${version}. Its disks can only be read by smolvm, which is not ` +
      'installed here. Install it and import the file again. Nothing was kept.',
  )
}

async function readManifest(
  file: FileHandle,
  offset: bigint,
  length: bigint,
  size: number,
): Promise<z.infer<typeof PackManifest> | null> {
  if (length > BigInt(MANIFEST_MAX) || offset + length > BigInt(size)) return null
  const bytes = Buffer.alloc(Number(length))
  await file.read(bytes, 0, bytes.length, Number(offset))
  try {
    const parsed = PackManifest.safeParse(JSON.parse(bytes.toString('utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    // A damaged manifest tells nothing; the footer alone says what the file is.
    return null
  }
}
