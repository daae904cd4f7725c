import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { Engine } from './engine.ts'
import { inspectImage } from './image-source.ts'
import { committedPrefix, snapshotTag } from './labels.ts'

/** Tags an image that another program committed under a snapshot's own tag; null when it is gone. @throws BottleError */
export async function tagSnapshotImage(
  engine: Engine,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<{ readonly reference: string; readonly digest: string } | null> {
  const found = await inspectImage(engine, snapshot.reference, signal)
  if (!found) return null
  const reference = snapshotTag(snapshot.slug, snapshot.id)
  const repo = `${committedPrefix}${snapshot.slug}`
  await engine.call(`tag ${reference}`, signal, (docker, abortSignal) =>
    docker.getImage(found.Id).tag({ repo, tag: snapshot.id, abortSignal } as { repo: string; tag: string }),
  )
  return { reference, digest: found.Id }
}
