import { dirname, resolve } from 'node:path'
import type { ExportResult } from '../../src-preload/contract/index.ts'
import { type ArchiveFile, openArchiveFile } from '../artifacts/export/archive-file.ts'
import { planArchive } from '../artifacts/export/plan-archive.ts'
import { putSnapshot } from '../artifacts/export/put-snapshot.ts'
import { type StreamSink, streamSink } from '../artifacts/export/stream-sink.ts'
import { archiveBytes, writeEnd, writeMember } from '../artifacts/export/write-archive.ts'
import type { StoredSnapshot } from '../artifacts/store/types.ts'
import { faultPoint } from '../system/fault.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ExportRequest, ExportTarget } from './artifact-services.ts'
import { type CollectedTools, withCollected } from './collect-bottle.ts'
import { pickTarget } from './pick-target.ts'
import { scrubBottle } from './scrub-bottle.ts'
import type { OperationContext } from './services.ts'

/**
 * Writes a snapshot as one portable archive. The same snapshot gives the same bytes, whatever the store held before;
 * what the store lacked it holds afterwards, until a prune. Cancelled or failed, nothing of the archive is left.
 * @throws BottleError `snapshot-missing`, `secrets-found`, `disk-full`, `engine-down`, `cancelled`, `usage`, …
 */
export async function exportBottle(
  deps: ArtifactDeps,
  request: ExportRequest,
  target: ExportTarget,
  context: OperationContext,
): Promise<ExportResult> {
  const snapshot = await pickTarget(deps, request)
  const file = 'file' in target ? resolve(target.file) : null
  // First of all: a target that can't be written to should not be told after minutes of work.
  const sink =
    'stream' in target
      ? streamSink(target.stream, context.signal)
      : await openArchiveFile(resolve(target.file))
  try {
    const options = {
      what: 'export',
      codec: request.compression,
      alsoWrittenTo: file === null ? [] : [dirname(file)],
    }
    const result = await withCollected(deps, snapshot, options, context, async (collected, tools) => {
      const { stored, report } = await scrubBottle(deps, request, collected, tools.store, context)
      const written = await writeArchive(tools, stored, request.thin, sink, context)
      return { file, snapshot: snapshot.id, compression: request.compression, scrub: report, ...written }
    })
    return result
  } finally {
    if ('discard' in sink) await sink.discard()
    else sink.release()
  }
}

async function writeArchive(
  { store, takeBack }: CollectedTools,
  stored: StoredSnapshot,
  isThin: boolean,
  sink: ArchiveFile | StreamSink,
  context: OperationContext,
): Promise<Pick<ExportResult, 'digest' | 'bytes' | 'thin'>> {
  const put = await putSnapshot(store, stored)
  const { members, thin } = planArchive(stored, put, { thin: isThin })
  for (const member of members) if ('digest' in member) takeBack(member.digest)
  if (isThin && thin === 0) {
    context.notice('It is not known which layers came from a base image, so the archive holds all of them.')
  }
  const total = archiveBytes(members)
  let current = 0
  const source = {
    store,
    signal: context.signal,
    onBytes(bytes: number) {
      current += bytes
      context.progress({ phase: 'writing', current, total })
    },
  }
  for (const member of members) await writeMember(source, member, sink)
  await writeEnd(source, sink)
  // Named first: once the archive has its name, nothing can fail that would make it look undone.
  await store.putImage(put.image)
  faultPoint('export:image-named')
  await sink.finish()
  return { digest: put.image.digest, bytes: total, thin: thin > 0 }
}
