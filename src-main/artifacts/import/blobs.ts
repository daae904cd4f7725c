import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { isMissing } from '../../state/durable-file.ts'
import { digestOf } from '../store/blobs.ts'
import type { ArtifactStore, Staging } from '../store/types.ts'
import { invalid, shortDigest, shown } from './invalid.ts'
import { JSON_MAX } from './limits.ts'
import { DIGEST } from './schemas.ts'

/** Where the blobs of one import are: staged, or in the store already. */
export interface BlobPlaces {
  readonly staging: Staging
  readonly store: Pick<ArtifactStore, 'blobPath' | 'blobSize'>
}

export interface BlobPlace {
  readonly file: string
  readonly bytes: number
  /** False for a blob that was in the store before: its content was verified when it came in. */
  readonly isStaged: boolean
}

export function stagedPath(staging: Staging, digest: string): string {
  if (!DIGEST.test(digest)) throw invalid(`${shown(digest)} is no sha256 digest.`)
  return join(staging.dir, 'blobs', 'sha256', digest.slice('sha256:'.length))
}

/** Where a blob is; null when it is nowhere. */
export async function findBlob(places: BlobPlaces, digest: string): Promise<BlobPlace | null> {
  const file = stagedPath(places.staging, digest)
  try {
    return { file, bytes: (await stat(file)).size, isStaged: true }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const bytes = await places.store.blobSize(digest)
  return bytes === null ? null : { file: places.store.blobPath(digest), bytes, isStaged: false }
}

/** Puts a small document that was made here beside the staged blobs. */
export async function stageBytes(staging: Staging, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes)
  const file = stagedPath(staging, digest)
  await mkdir(join(staging.dir, 'blobs', 'sha256'), { recursive: true, mode: 0o700 })
  await writeFile(file, bytes, { mode: 0o600 })
  return digest
}

/**
 * A small blob as a checked JSON document. Its digest and size are checked again, whoever put it there.
 * @throws BottleError `artifact-invalid`
 */
export async function readJsonBlob<T extends z.ZodType>(
  places: BlobPlaces,
  descriptor: { readonly digest: string; readonly size?: number },
  schema: T,
  what: string,
): Promise<{ readonly value: z.output<T>; readonly bytes: Uint8Array }> {
  const name = `${what} ${shortDigest(descriptor.digest)}`
  const place = await findBlob(places, descriptor.digest)
  if (!place) throw invalid(`the blob of the ${name} is missing.`)
  if (descriptor.size !== undefined && descriptor.size !== place.bytes) {
    throw invalid(`the ${name} has ${place.bytes} bytes, not ${descriptor.size} as is said of it.`)
  }
  if (place.bytes > JSON_MAX) throw invalid(`the ${name} is larger than ${JSON_MAX >> 20} MB.`)
  const bytes = await readFile(place.file)
  if (digestOf(bytes) !== descriptor.digest) throw invalid(`the ${name} has another digest than its name.`)
  return { value: parseJson(bytes, schema, name), bytes }
}

/** Text that must be a JSON document of that shape. @throws BottleError `artifact-invalid` naming the field */
export function parseJson<T extends z.ZodType>(bytes: Uint8Array, schema: T, what: string): z.output<T> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid(`the ${what} is no JSON.`, error)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = (issue?.path ?? []).map(String).join('.')
  throw invalid(`the ${what} is not as it must be: ${shown(where || 'it')} ${issue?.message ?? 'is wrong'}.`)
}
