import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Workers } from '../../workers/types.ts'
import type { Compression } from '../oci.ts'
import type { Staging } from '../store/types.ts'
import { stagedPath } from './blobs.ts'

/** A file of an archive as it came, and the blob that it was kept as. */
export interface StagedFile {
  /** Of the file as it was in the archive. */
  readonly digest: string
  readonly bytes: number
  /** Another one than the file's when a plain tar was packed on its way in. */
  readonly blob: { readonly digest: string; readonly size: number; readonly codec: Compression | null }
}

/** Takes a file's bytes one after the other. Each call is awaited before the next. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>
  end(): Promise<StagedFile>
  abandon(): Promise<void>
}

const BLOCK = 512

/** A staged file is named when its digest is known. */
async function stagingFile(staging: Staging) {
  await mkdir(join(staging.dir, 'blobs', 'sha256'), { recursive: true, mode: 0o700 })
  const temporary = join(staging.dir, `incoming-${randomBytes(6).toString('hex')}`)
  const handle = await open(temporary, 'wx', 0o600)
  return {
    handle,
    async keepAs(digest: string) {
      await handle.close()
      await rename(temporary, stagedPath(staging, digest))
    },
  }
}

/** True for the first bytes of a tar that is not compressed. Pure. */
export function isPlainTar(head: Uint8Array): boolean {
  return head.length >= BLOCK && Buffer.from(head.subarray(257, 262)).equals(Buffer.from('ustar'))
}

/** The codec that a file's first bytes tell; null for neither gzip nor zstd. Pure. */
function codecOf(head: Uint8Array): Compression | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? 'zstd' : null
}

/** Writes a file of an archive into the staging folder, hashed on the way; a plain tar is packed meanwhile. */
export function createBlobWriter(staging: Staging, workers: Workers, signal: AbortSignal): BlobWriter {
  let head: Buffer = Buffer.alloc(0)
  let inner: BlobWriter | null = null
  const begin = async (): Promise<BlobWriter> => {
    inner = isPlainTar(head)
      ? await packingWriter(staging, workers, signal)
      : await plainWriter(staging, codecOf(head))
    await inner.write(head)
    return inner
  }
  return {
    async write(chunk) {
      if (inner) return inner.write(chunk)
      // Copied, since the reader uses its memory again.
      head = Buffer.concat([head, chunk])
      if (head.length >= BLOCK) await begin()
    },
    async end() {
      return (inner ?? (await begin())).end()
    },
    async abandon() {
      await inner?.abandon()
    },
  }
}

async function plainWriter(staging: Staging, codec: Compression | null): Promise<BlobWriter> {
  const file = await stagingFile(staging)
  const hash = createHash('sha256')
  let bytes = 0
  return {
    async write(chunk) {
      const writing = file.handle.writeFile(chunk)
      // Hashed while the system writes.
      hash.update(chunk)
      bytes += chunk.length
      await writing
    },
    async end() {
      const digest = `sha256:${hash.digest('hex')}`
      await file.keepAs(digest)
      return { digest, bytes, blob: { digest, size: bytes, codec } }
    },
    abandon: () => file.handle.close(),
  }
}

async function packingWriter(staging: Staging, workers: Workers, signal: AbortSignal): Promise<BlobWriter> {
  const file = await stagingFile(staging)
  const pipe = new PassThrough({ highWaterMark: 4 << 20 })
  const packing = workers.pack(pipe, 'gzip', (chunk) => file.handle.writeFile(chunk), signal)
  packing.catch((error: unknown) => pipe.destroy(error instanceof Error ? error : new Error(String(error))))
  return {
    async write(chunk) {
      const copy = Buffer.from(chunk)
      await new Promise<void>((resolve, reject) => {
        pipe.write(copy, (error) => (error ? reject(error) : resolve()))
      })
    },
    async end() {
      pipe.end()
      const packed = await packing
      await file.keepAs(packed.digest)
      return {
        digest: packed.contentDigest,
        bytes: packed.contentBytes,
        blob: { digest: packed.digest, size: packed.bytes, codec: 'gzip' },
      }
    },
    async abandon() {
      pipe.destroy(new Error('given up'))
      await packing.catch(() => undefined)
      await file.handle.close()
    },
  }
}
