import { rm } from 'node:fs/promises'
import type { CallResult, ParsedArgs, ScrubChoice } from '../../../src-preload/contract/index.ts'
import { type DragSource, sourceOf } from '../../artifacts/drag-cache/source.ts'
import type { DragKey, ReadyFile } from '../../artifacts/drag-cache/types.ts'
import { bottleFileName } from '../../artifacts/export/plan-archive.ts'
import type { Artifacts } from '../../bottles/artifact-services.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { TaskContext, TaskQueue } from '../../tasks/task-queue.ts'
import type { Transfers } from '../transfers/transfers.ts'

export interface PrepareParts {
  readonly artifacts: Pick<Artifacts, 'export'>
  readonly tasks: TaskQueue
  readonly transfers: Transfers
  readonly root: StateRoot
}

/**
 * Files that answer a wish, the best first. One in which secrets were kept is given to nobody who did not ask for it;
 * one that was made without a choice holds none.
 */
const ANSWERS: Readonly<Record<ScrubChoice | 'none', readonly (ScrubChoice | null)[]>> = {
  none: [null, 'strip'],
  strip: ['strip', null],
  keep: ['keep', null],
}

/**
 * Gives out the file of a snapshot for a drag, or the task that makes it.
 * @throws BottleError `snapshot-missing`
 */
export async function prepareArtifact(
  parts: PrepareParts,
  { slug, snapshot, scrub }: ParsedArgs<'artifact:prepare'>,
): Promise<CallResult<'artifact:prepare'>> {
  const { tasks, transfers, root } = parts
  const { drag } = transfers
  for (const choice of ANSWERS[scrub ?? 'none']) {
    const ready = await drag.find({ slug, snapshot, scrub: choice })
    if (ready) return { state: 'ready', ...withoutPath(ready) }
  }
  const source = await sourceOf(root, slug, snapshot)
  if (source === null)
    throw bottleError('snapshot-missing', `${slug} has no whole snapshot ${snapshot}.`, { slug })
  const key: DragKey = { slug, snapshot, scrub: scrub ?? null }
  const running = drag.taskOf(key)
  if (running !== null) {
    if (tasks.list().some(({ id, state }) => id === running && state === 'running'))
      return { state: 'preparing', taskId: running }
    // Cancelled before its turn came.
    drag.fail(key, running)
  }
  const taskId: string = tasks.start('prepare', slug, (context) =>
    make(parts, key, source, () => taskId, context),
  )
  drag.begin(key, taskId)
  return { state: 'preparing', taskId }
}

function withoutPath({ token, fileName, bytes }: ReadyFile): Pick<ReadyFile, 'token' | 'fileName' | 'bytes'> {
  return { token, fileName, bytes }
}

async function make(
  { artifacts, transfers }: PrepareParts,
  key: DragKey,
  source: DragSource,
  taskId: () => string,
  context: TaskContext,
): Promise<string> {
  const { slug, snapshot, scrub } = key
  try {
    const file = await (await transfers.cache()).newFile()
    try {
      const request = { slug, snapshot, compression: 'gzip', thin: false, scrub: scrub ?? undefined } as const
      const { digest } = await artifacts.export(request, { file }, context)
      await transfers.drag.keep(key, taskId(), {
        file,
        fileName: bottleFileName(slug, snapshot),
        digest,
        source,
      })
    } finally {
      await rm(file, { force: true })
    }
    return `Prepared ${slug} to be dragged.`
  } finally {
    // After a keep this changes nothing.
    transfers.drag.fail(key, taskId())
  }
}
