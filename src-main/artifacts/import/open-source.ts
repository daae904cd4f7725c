import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { bottleError } from '../../system/bottle-error.ts'
import { invalid } from './invalid.ts'
import type { ImportLimits } from './limits.ts'
import { refuseSmolmachine } from './smolmachine.ts'

/** Where an archive comes from. */
export type ArchiveSource =
  | { readonly file: string }
  | { readonly stream: AsyncIterable<Uint8Array>; readonly bytes: number | null }

export interface OpenedArchive {
  /** The archive's tar, decompressed where the whole file was compressed. */
  readonly content: AsyncIterable<Uint8Array>
  /** Of the file as it is; null when nobody knows. */
  readonly bytes: number | null
  /** Bytes of the file that were read so far. */
  readonly taken: () => number
  readonly name: string
  close(): Promise<void>
}

const CHUNK = 1 << 20

/** @throws BottleError `not-found`, `artifact-invalid`, `unsupported` for what only another program reads */
export async function openSource(
  source: ArchiveSource,
  limits: ImportLimits,
  signal: AbortSignal,
): Promise<OpenedArchive> {
  let taken = 0
  const count = async function* (raw: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of raw) {
      if (signal.aborted) throw bottleError('cancelled')
      taken += chunk.length
      if (taken > limits.bytes)
        throw invalid(`it is larger than the ${limits.bytes >> 30} GB that are allowed.`)
      if (chunk.length > 0) yield chunk
    }
  }
  const facts = { taken: () => taken }
  if ('stream' in source) {
    const content = await decompressed(count(source.stream), facts.taken, limits)
    return { ...facts, content, bytes: source.bytes, name: 'imported', close: async () => undefined }
  }
  const handle = await open(source.file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw bottleError('not-found', `There is no file ${source.file}.`, { cause: error })
  })
  try {
    const found = await handle.stat()
    if (found.isDirectory()) {
      throw bottleError('usage', `${source.file} is a folder. Name the file that holds the artifact.`)
    }
    if (found.isFile()) await refuseSmolmachine(handle, found.size)
    const raw = handle.createReadStream({ highWaterMark: CHUNK, autoClose: false })
    return {
      ...facts,
      content: await decompressed(count(raw), facts.taken, limits),
      bytes: found.isFile() ? found.size : null,
      name: basename(source.file).replace(/(\.(tar|tgz|gz|zst|oci|bottle))+$/i, ''),
      close: () => handle.close(),
    }
  } catch (thrown) {
    await handle.close()
    throw thrown
  }
}

const MAGIC: readonly (readonly [string, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
]

/** How a file is compressed, by its first bytes; null for not at all. Pure. */
export function compressionOf(head: Uint8Array): string | null {
  const found = MAGIC.find(([, bytes]) => bytes.every((byte, at) => head[at] === byte))
  return found?.[0] ?? null
}

async function decompressed(
  raw: AsyncGenerator<Uint8Array>,
  taken: () => number,
  limits: ImportLimits,
): Promise<AsyncIterable<Uint8Array>> {
  const head: Uint8Array[] = []
  let length = 0
  while (length < 8) {
    const next = await raw.next()
    if (next.done) break
    head.push(next.value)
    length += next.value.length
  }
  if (length === 0) throw invalid('it is empty.')
  const first = Buffer.concat(head)
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield first
    yield* raw
  }
  const compression = compressionOf(first)
  if (compression === null) return whole()
  if (compression !== 'gzip' && compression !== 'zstd') {
    throw invalid(`it is a ${compression} file, which is not read here. Unpack it first.`)
  }
  const codec =
    compression === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK })
  // Its error reaches whoever reads from the codec.
  return bounded(
    pipeline(whole, codec, () => undefined),
    taken,
    limits,
  )
}

/** Stops what unfolds beyond any sensible ratio, and says plainly when the compressed file breaks off. */
async function* bounded(
  stream: Readable,
  taken: () => number,
  limits: ImportLimits,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > limits.scan.ratioFrom && bytes > taken() * limits.scan.ratio) {
        throw invalid(`it unfolds to more than ${limits.scan.ratio} times its size.`)
      }
      if (bytes > limits.bytes) throw invalid('it unfolds to more bytes than are allowed.')
      yield chunk
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(code)) {
      throw invalid('the compressed file is damaged or breaks off.', thrown)
    }
    throw thrown
  }
}
