import { createHash } from 'node:crypto'
import { z } from 'zod'
import { bottleError } from '../../system/bottle-error.ts'
import { type Descriptor, MEDIA } from '../oci.ts'
import { readBytes } from './failures.ts'
import { withRetries } from './retry.ts'
import type { Session } from './session.ts'

/** What other tools call the same things; their content is alike. */
export const DOCKER_MEDIA = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const

const ACCEPT = [MEDIA.manifest, MEDIA.index, DOCKER_MEDIA.manifest, DOCKER_MEDIA.index].join(', ')
const LIMIT = 4 * 1024 * 1024

export interface RemoteManifest {
  readonly bytes: Buffer
  readonly mediaType: string
  readonly digest: string
}

/** A manifest or index by tag or digest, its digest verified; null when the repository has none. */
export async function findManifest(
  session: Session,
  tagOrDigest: string,
  signal: AbortSignal,
): Promise<RemoteManifest | null> {
  const url = session.url(`manifests/${tagOrDigest}`)
  return withRetries(session.retries, signal, async () => {
    const response = await session.send({ method: 'GET', url, headers: { accept: ACCEPT } }, signal)
    if (response.status === 404) {
      response.discard()
      return null
    }
    if (response.status !== 200) throw await session.refused(response, `manifest ${tagOrDigest}`)
    const bytes = await readBytes(response, LIMIT)
    const digest = digestOf(bytes)
    if (tagOrDigest.startsWith('sha256:') && digest !== tagOrDigest) {
      throw bottleError(
        'artifact-invalid',
        `${session.reference.host} sent another manifest than ${tagOrDigest}; nothing was kept.`,
      )
    }
    return { bytes, mediaType: mediaTypeOf(bytes, response.header('content-type')), digest }
  })
}

/** Writes a manifest under a tag or its digest. True when the registry keeps track of what it refers to by itself. */
export async function putManifest(
  session: Session,
  tagOrDigest: string,
  bytes: Uint8Array,
  mediaType: string,
  signal: AbortSignal,
): Promise<boolean> {
  const url = session.url(`manifests/${tagOrDigest}`)
  return withRetries(session.retries, signal, async () => {
    const response = await session.send(
      {
        method: 'PUT',
        url,
        headers: { 'content-type': mediaType },
        body: { bytes: bytes.length, open: () => [bytes] },
      },
      signal,
    )
    if (response.status < 200 || response.status > 299) {
      throw await session.refused(response, `manifest ${tagOrDigest}`)
    }
    response.discard()
    return response.header('oci-subject') !== null
  })
}

const Referrers = z.object({
  manifests: z
    .array(
      z.looseObject({
        mediaType: z.string(),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        size: z.number().int().nonnegative(),
        artifactType: z.string().optional(),
      }),
    )
    .max(10_000),
})

/** Under which the manifests that refer to an image are listed, where a registry has no call for that. Pure. */
export function referrersTag(digest: string): string {
  return digest.replace(':', '-')
}

/** What a registry says refers to an image: by its own call, else by the fallback tag. */
export async function listReferrers(
  session: Session,
  digest: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const url = session.url(`referrers/${digest}`)
  const known = await withRetries(session.retries, signal, async () => {
    const response = await session.send({ method: 'GET', url, headers: { accept: MEDIA.index } }, signal)
    if (response.status === 200) return await readBytes(response, LIMIT)
    response.discard()
    return null
  })
  const listed = known ? parseReferrers(known) : []
  if (listed.length > 0) return listed
  return readFallback(session, digest, signal)
}

/** The list under the fallback tag; empty when there is none. */
export async function readFallback(
  session: Session,
  digest: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const index = await findManifest(session, referrersTag(digest), signal)
  return index ? parseReferrers(index.bytes) : []
}

function parseReferrers(bytes: Uint8Array): readonly Descriptor[] {
  const parsed = Referrers.safeParse(parseJson(bytes))
  return parsed.success ? (parsed.data.manifests as readonly Descriptor[]) : []
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null
  }
}

/** The document's own word before the header's: the header is not part of what the digest covers. */
function mediaTypeOf(bytes: Uint8Array, header: string | null): string {
  const own = (parseJson(bytes) as { mediaType?: unknown } | null)?.mediaType
  return typeof own === 'string' ? own : (header?.split(';')[0]?.trim() ?? '')
}
