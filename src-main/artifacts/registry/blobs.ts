import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { transportFailure } from './failures.ts'
import type { HttpResponse } from './http.ts'
import { Transient, withRetries } from './retry.ts'
import type { Session } from './session.ts'

export interface BlobRef {
  readonly digest: string
  readonly size: number
}

/** Tells how far one transfer is, in bytes; never more than the blob's size, smaller again after a new start. */
export type ReportOffset = (offset: number) => void

/** True when the repository holds a blob already. */
export async function hasBlob(session: Session, digest: string, signal: AbortSignal): Promise<boolean> {
  const request = { method: 'HEAD', url: session.url(`blobs/${digest}`) } as const
  return withRetries(session.retries, signal, async () => {
    const response = await session.send(request, signal)
    response.discard()
    if (response.status === 200) return true
    if (response.status === 404) return false
    throw await session.refused(response, `blob ${digest}`)
  })
}

/**
 * Downloads a blob into a new file and verifies its digest on the way. A broken connection is taken up where it
 * broke. The file is flushed; after a failure it is left for the caller's staging folder to go.
 * @throws BottleError `not-found`, `artifact-invalid` for other bytes than the digest's, `registry-failed`, …
 */
export async function downloadBlob(
  session: Session,
  blob: BlobRef,
  file: string,
  report: ReportOffset,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    const state = { hash: createHash('sha256'), offset: 0 }
    await withRetries(
      session.retries,
      signal,
      () => downloadRest(session, blob, handle, state, report, signal),
      () => state.offset,
    )
    if (`sha256:${state.hash.digest('hex')}` !== blob.digest) {
      throw bottleError(
        'artifact-invalid',
        `${session.reference.host} sent other bytes than ${blob.digest} stands for; nothing was kept.`,
      )
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

interface DownloadState {
  hash: Hash
  offset: number
}

async function downloadRest(
  session: Session,
  blob: BlobRef,
  handle: FileHandle,
  state: DownloadState,
  report: ReportOffset,
  signal: AbortSignal,
): Promise<void> {
  if (state.offset === blob.size && blob.size > 0) return
  const headers = state.offset > 0 ? { range: `bytes=${state.offset}-` } : {}
  const url = session.url(`blobs/${blob.digest}`)
  const response = await session.send({ method: 'GET', url, headers }, signal)
  if (response.status === 416 || (response.status === 206 && startOf(response) !== state.offset)) {
    response.discard()
    await startAnew(handle, state)
    throw new Transient(bottleError('registry-failed', `${session.reference.host} lost its place in a blob.`))
  }
  if (response.status !== 200 && response.status !== 206) {
    throw await session.refused(response, `blob ${blob.digest}`)
  }
  if (response.status === 200 && state.offset > 0) await startAnew(handle, state)
  for await (const chunk of response.body) {
    if (state.offset + chunk.length > blob.size) {
      response.discard()
      throw bottleError(
        'artifact-invalid',
        `${blob.digest} is longer than the manifest says (${blob.size} bytes); nothing was kept.`,
      )
    }
    await writeAll(handle, chunk, state.offset)
    state.hash.update(chunk)
    state.offset += chunk.length
    report(state.offset)
  }
  if (state.offset < blob.size) throw cutShort(session)
}

async function startAnew(handle: FileHandle, state: DownloadState): Promise<void> {
  await handle.truncate(0)
  state.hash = createHash('sha256')
  state.offset = 0
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done)
    done += bytesWritten
  }
}

function startOf(response: HttpResponse): number | null {
  const found = /^bytes (\d+)-/.exec(response.header('content-range') ?? '')
  return found ? Number(found[1]) : null
}

function cutShort(session: Session): Error {
  const broken = Object.assign(new Error('ended early'), { code: 'ECONNRESET' })
  return transportFailure(broken, session.reference.host, true)
}

/** A stretch of a file, streamed. `end` is exclusive. */
export function readStretch(file: string, start: number, end: number): AsyncIterable<Uint8Array> {
  return createReadStream(file, { start, end: end - 1, highWaterMark: 256 * 1024 })
}
