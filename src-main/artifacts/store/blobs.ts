import { createHash } from 'node:crypto'
import { open, readdir, readFile, rename, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing, syncFolder, writeDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'

const DIGEST = /^sha256:([0-9a-f]{64})$/
/** No manifest or config of ours or anybody's comes near it. */
const JSON_MAX = 16 * 1024 * 1024

export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function blobFolder(layout: string): string {
  return join(layout, 'blobs', 'sha256')
}

/** @throws BottleError `artifact-invalid` for what is no sha256 digest: it would be a path */
export function blobPath(layout: string, digest: string): string {
  const hex = DIGEST.exec(digest)?.[1]
  if (hex === undefined) {
    throw bottleError('artifact-invalid', `${JSON.stringify(digest.slice(0, 100))} is no sha256 digest.`)
  }
  return join(blobFolder(layout), hex)
}

/**
 * Marks a blob as used now and tells its bytes; null when it is not there. A collection spares what was used after the
 * oldest unfinished operation began, so whoever has asked for a blob may rely on it until its own operation ends.
 */
export async function touchBlob(file: string): Promise<number | null> {
  try {
    const now = new Date()
    await utimes(file, now, now).catch((error: NodeJS.ErrnoException) => {
      // A store that can only be read is not collected either.
      if (error.code !== 'EROFS' && error.code !== 'EPERM' && error.code !== 'EACCES') throw error
    })
    return (await stat(file)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Takes a finished file in under its digest; flushed first, so that a name never stands for lost bytes. */
export async function adoptBlob(layout: string, file: string, digest: string): Promise<void> {
  const target = blobPath(layout, digest)
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
    const now = new Date()
    await handle.utimes(now, now)
  } finally {
    await handle.close()
  }
  // Also over a blob that is there: what was just verified mends what the disk may have spoilt.
  await rename(file, target)
  await syncFolder(dirname(target))
}

/** Writes a small blob and returns its digest. One that is there but spoilt is written anew. */
export async function writeBlob(layout: string, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes)
  const file = blobPath(layout, digest)
  if (!(await holds(file, bytes))) await writeDurable(file, bytes)
  return digest
}

async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  if ((await touchBlob(file)) !== bytes.length) return false
  const found = await readFile(file).catch((error: unknown) => {
    // Collected since: then it is written.
    if (isMissing(error)) return null
    throw error
  })
  return found?.equals(bytes) ?? false
}

/** A small blob as JSON; null when it is missing, too large, not what its name says, or no JSON object. */
export async function readJsonBlob(
  layout: string,
  digest: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (!isDigest(digest)) return null
  const file = blobPath(layout, digest)
  try {
    if ((await stat(file)).size > JSON_MAX) return null
    const bytes = await readFile(file)
    if (digestOf(bytes) !== digest) return null
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return null
    throw error
  }
}

/** Digest, bytes and time of last use of every blob; other files are left out. */
export async function listBlobs(
  layout: string,
): Promise<readonly { readonly digest: string; readonly bytes: number; readonly usedAt: number }[]> {
  const names = await readdir(blobFolder(layout)).catch((error: unknown) => {
    if (isMissing(error)) return [] as string[]
    throw error
  })
  const found = await Promise.all(
    names
      .filter((name) => isDigest(`sha256:${name}`))
      .map(async (name) => {
        const info = await stat(join(blobFolder(layout), name)).catch(() => null)
        return info?.isFile()
          ? { digest: `sha256:${name}`, bytes: info.size, usedAt: Math.round(info.mtimeMs) }
          : null
      }),
  )
  return found.filter((blob) => blob !== null)
}
