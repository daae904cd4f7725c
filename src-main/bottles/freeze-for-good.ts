import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { appendJournal } from '../state/journal.ts'
import { readMetadata } from '../state/metadata.ts'
import type { BottleDeps } from './deps.ts'
import { freezeLocked, freezeOptions } from './freeze.ts'
import { keepConversation, LAST_KEEP_MS } from './keep-session.ts'
import { readRuntime } from './read-bottles.ts'
import { copyRunLog } from './run-logs.ts'
import type { OperationContext } from './services.ts'
import { stopRuntime } from './stop-runtime.ts'

/** Seconds that an agent gets to end by itself before its last freeze. */
const GRACE_SECONDS = 10

/**
 * Freezes a bottle whose runtime is removed right after: it is stopped first, so that nothing it does is missing from
 * the snapshot. Whoever may object has been asked by then; when the freeze fails later the bottle is stopped and whole.
 * A runtime of others goes on until it is removed, since theirs may be deleted by a stop. The caller holds the lock.
 */
export async function freezeForGood(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runtime: RuntimeRef,
  context: OperationContext,
): Promise<void> {
  const { signal } = context
  const stopFirst = async (): Promise<void> => {
    await keepBeforeRemoval(deps, backend, slug, runtime, context)
    const fact = await readRuntime(deps, slug, backend.name, signal)
    if (fact?.root !== deps.root.id || (fact.state !== 'running' && fact.state !== 'paused')) return
    signal.throwIfAborted()
    await stopRuntime(
      deps,
      backend,
      slug,
      runtime,
      { graceSeconds: GRACE_SECONDS, isForRestart: false },
      context,
    )
    const message = 'Stopped for its last freeze.'
    await appendJournal(deps.root, slug, { op: 'stop', outcome: 'done', message })
  }
  await freezeLocked(deps, backend, slug, runtime, freezeOptions('before-destroy'), context, stopFirst)
}

/**
 * What a run leaves beside its files: its output, and of one that nobody saw ending its conversation; an ended one's is
 * kept already.
 */
export async function keepBeforeRemoval(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runtime: RuntimeRef,
  { signal }: OperationContext,
): Promise<void> {
  await copyRunLog(deps, backend, runtime, signal)
  const read = await readMetadata(deps.root, slug)
  if (read.kind !== 'ok') return
  const run = read.metadata.icebox?.runs.find((known) => known.id === runtime.runId)
  if (run && !run.exit) await keepConversation(deps, backend, slug, read.metadata, run, signal, LAST_KEEP_MS)
}
