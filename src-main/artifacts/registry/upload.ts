import { bottleError } from '../../system/bottle-error.ts'
import { type BlobRef, hasBlob, type ReportOffset, readStretch } from './blobs.ts'
import type { HttpResponse } from './http.ts'
import { Transient, withRetries } from './retry.ts'
import type { Session } from './session.ts'

export interface UploadBlob extends BlobRef {
  readonly file: string
}

/** Bytes per request: a broken connection costs at most these, where the registry can resume. */
const CHUNK = 16 * 1024 * 1024

interface Upload {
  /** Null before the registry has given a place to send to, and after it has lost it. */
  location: URL | null
  offset: number
  chunk: number
  /** Furthest offset that any try has reached. */
  best: number
}

/**
 * Sends one blob unless the repository has it. A broken upload goes on from the offset that the registry names; one
 * that it has lost starts anew. Registries that take no chunks get the content in one piece.
 * @returns true when it was sent, false when it was there
 */
export async function uploadBlob(
  session: Session,
  blob: UploadBlob,
  report: ReportOffset,
  signal: AbortSignal,
): Promise<boolean> {
  if (await hasBlob(session, blob.digest, signal)) return false
  const upload: Upload = { location: null, offset: 0, chunk: CHUNK, best: 0 }
  let isRetry = false
  await withRetries(
    session.retries,
    signal,
    async () => {
      // The answer that broke may have been the one that said it is done.
      if (isRetry && (await hasBlob(session, blob.digest, signal))) return
      isRetry = true
      try {
        await uploadRest(session, blob, upload, report, signal)
      } catch (thrown) {
        if (thrown instanceof Transient) await findPlace(session, blob, upload, signal)
        throw thrown
      }
    },
    () => upload.best,
  )
  return true
}

async function uploadRest(
  session: Session,
  blob: UploadBlob,
  upload: Upload,
  report: ReportOffset,
  signal: AbortSignal,
): Promise<void> {
  upload.location ??= await begin(session, upload, signal)
  report(upload.offset)
  while (upload.offset < blob.size) {
    await sendChunk(session, blob, upload, report, signal)
    upload.best = Math.max(upload.best, upload.offset)
  }
  const url = new URL(upload.location)
  url.searchParams.set('digest', blob.digest)
  const response = await session.send({ method: 'PUT', url }, signal)
  if (response.status === 201 || response.status === 204) {
    response.discard()
    return
  }
  // Bytes that were counted wrong by somebody: once more from the start, in one piece.
  if (response.status === 400 && upload.chunk !== Number.POSITIVE_INFINITY) {
    startAnew(upload, Number.POSITIVE_INFINITY)
    throw new Transient(asFailure(session, response, blob))
  }
  if (response.status === 404) {
    startAnew(upload, upload.chunk)
    throw new Transient(asFailure(session, response, blob))
  }
  throw await session.refused(response, `blob ${blob.digest}`)
}

async function begin(session: Session, upload: Upload, signal: AbortSignal): Promise<URL> {
  const response = await session.send({ method: 'POST', url: session.url('blobs/uploads/') }, signal)
  if (response.status !== 202) throw await session.refused(response, 'a new upload')
  response.discard()
  const smallest = Number(response.header('oci-chunk-min-length') ?? 0)
  if (Number.isSafeInteger(smallest) && smallest > upload.chunk) upload.chunk = smallest
  upload.offset = 0
  return placeOf(session, response)
}

async function sendChunk(
  session: Session,
  blob: UploadBlob,
  upload: Upload,
  report: ReportOffset,
  signal: AbortSignal,
): Promise<void> {
  const start = upload.offset
  const end = Math.min(start + upload.chunk, blob.size)
  // Without a range it is one stream, which every registry takes, as docker itself sends it.
  const isWhole = start === 0 && end === blob.size
  const response = await session.send(
    {
      method: 'PATCH',
      url: upload.location ?? session.url('blobs/uploads/'),
      headers: {
        'content-type': 'application/octet-stream',
        ...(isWhole ? {} : { 'content-range': `${start}-${end - 1}` }),
      },
      body: { bytes: end - start, open: () => counted(readStretch(blob.file, start, end), start, report) },
    },
    signal,
  )
  if (response.status === 202 || response.status === 201 || response.status === 204) {
    response.discard()
    upload.location = placeOf(session, response)
    const told = reached(response) ?? end
    // `0-0` also means one byte.
    upload.offset = told === 0 ? end : told
    if (upload.offset > start && upload.offset <= end) return
    startAnew(upload, Number.POSITIVE_INFINITY)
    throw new Transient(asFailure(session, response, blob))
  }
  if (response.status === 416 || response.status === 404) {
    const failed = asFailure(session, response, blob)
    if (response.status === 404) startAnew(upload, upload.chunk)
    throw new Transient(failed)
  }
  const failed = await session.refused(response, `blob ${blob.digest}`)
  const isRefusal = response.status === 400 || response.status === 405 || response.status === 413
  if (!(isRefusal || response.status === 501) || isWhole) throw failed
  startAnew(upload, Number.POSITIVE_INFINITY)
  throw new Transient(bottleError('registry-failed', failed.message))
}

/** After a failure: asks the registry how far it is. What it does not know is sent from the start. */
async function findPlace(
  session: Session,
  blob: UploadBlob,
  upload: Upload,
  signal: AbortSignal,
): Promise<void> {
  const { location } = upload
  if (!location) return
  try {
    const response = await session.send({ method: 'GET', url: location }, signal)
    response.discard()
    const offset = reached(response)
    if (response.status === 204 && offset !== null && offset <= blob.size) {
      upload.offset = offset
      upload.best = Math.max(upload.best, offset)
      upload.location = placeOf(session, response, location)
    } else if (response.status !== 429 && response.status < 500) {
      startAnew(upload, upload.chunk)
    }
  } catch (thrown) {
    // Still broken: asked again after the next pause.
    if (!(thrown instanceof Transient)) throw thrown
  }
}

function startAnew(upload: Upload, chunk: number): void {
  upload.location = null
  upload.offset = 0
  upload.chunk = chunk
}

/** Bytes that the registry has, by its `Range: 0-<last>`; null when it does not say. An empty upload is `0-0`. */
function reached(response: HttpResponse): number | null {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(response.header('range') ?? '')?.[1]
  if (last === undefined) return null
  return Number(last) === 0 ? 0 : Number(last) + 1
}

function placeOf(session: Session, response: HttpResponse, known?: URL): URL {
  const location = response.header('location')
  if (location !== null) return session.resolve(location, response.url)
  if (known) return known
  throw bottleError('registry-failed', `${session.reference.host} gives no place to send to.`)
}

function asFailure(session: Session, response: HttpResponse, blob: UploadBlob) {
  response.discard()
  return bottleError('registry-failed', `${session.reference.host} did not take ${blob.digest}.`, {
    detail: `HTTP ${response.status}`,
  })
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  start: number,
  report: ReportOffset,
): AsyncIterable<Uint8Array> {
  let offset = start
  for await (const chunk of content) {
    yield chunk
    offset += chunk.length
    report(offset)
  }
}
