import { dirname, resolve } from 'node:path'
import type { ExportResult } from '../../src-preload/contract/index.ts'
import { openArchiveFile } from '../artifacts/export/archive-file.ts'
import { draftArchive, plainArchive } from '../artifacts/export/draft-archive.ts'
import { type ArchivePlan, planArchive } from '../artifacts/export/plan-archive.ts'
import { type PutSnapshot, putSnapshot } from '../artifacts/export/put-snapshot.ts'
import { streamSink } from '../artifacts/export/stream-sink.ts'
import { archiveBytes } from '../artifacts/export/write-archive.ts'
import type { StoredLayer, StoredSnapshot } from '../artifacts/store/types.ts'
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
  const meter = createMeter(context)
  const source = { store: await deps.store(), signal: context.signal, onBytes: meter.add }
  const archive = 'cut' in sink ? draftArchive(sink, source) : plainArchive(sink, source)
  try {
    const options = {
      what: 'export',
      codec: request.compression,
      alsoWrittenTo: file === null ? [] : [dirname(file)],
      onLayer(layer: StoredLayer, at: number, baseLayers: number) {
        if (!request.thin || at >= baseLayers) archive.addLayer(layer)
      },
    }
    return await withCollected(deps, snapshot, options, context, async (collected, tools) => {
      const { stored, report } = await scrubBottle(deps, request, collected, tools.store, context)
      const { put, plan } = await planFor(tools, stored, request.thin, context)
      const bytes = archiveBytes(plan.members)
      meter.begin(bytes)
      await archive.complete(plan.members)
      // Named first: once the archive has its name, nothing can fail that would make it look undone.
      await tools.store.putImage(put.image)
      faultPoint('export:image-named')
      await sink.finish()
      const { digest } = put.image
      const { compression } = request
      return { file, digest, bytes, snapshot: snapshot.id, thin: plan.thin > 0, compression, scrub: report }
    })
  } finally {
    await archive.settle()
    if ('discard' in sink) await sink.discard()
    else sink.release()
  }
}

async function planFor(
  { store, takeBack }: CollectedTools,
  stored: StoredSnapshot,
  isThin: boolean,
  context: OperationContext,
): Promise<{ readonly put: PutSnapshot; readonly plan: ArchivePlan }> {
  const put = await putSnapshot(store, stored)
  const plan = planArchive(stored, put, { thin: isThin })
  for (const member of plan.members) if ('digest' in member) takeBack(member.digest)
  if (isThin && plan.thin === 0) {
    context.notice('It is not known which layers came from a base image, so the archive holds all of them.')
  }
  return { put, plan }
}

/** Counts what is written, and tells it once the whole is known; before, reading is what takes the time. */
function createMeter({ progress }: OperationContext) {
  let current = 0
  let total: number | null = null
  const tell = (): void => {
    if (total !== null) progress({ phase: 'writing', current, total })
  }
  return {
    add(bytes: number): void {
      current += bytes
      tell()
    },
    begin(bytes: number): void {
      total = bytes
      tell()
    },
  }
}
