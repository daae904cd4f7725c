import type { Done } from '../../src-preload/contract/index.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { type Metadata, requireMetadata, requireWritable } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { callOff } from './call-off.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { thenUnlocked } from './hooks/after-lock.ts'
import { afterStop, beforeStop } from './hooks/stop-hooks.ts'
import { readRuntime } from './read-bottles.ts'
import type { OperationContext } from './services.ts'
import { type StopWay, stopRuntime } from './stop-runtime.ts'

/** Seconds that an agent gets to end by itself. */
export const GRACE_SECONDS = 10

/** Stops the agent and keeps everything; one that does not run is already stopped. */
export async function stop(
  deps: BottleDeps,
  slug: string,
  options: { readonly graceSeconds: number; readonly force?: boolean },
  context: OperationContext,
): Promise<Done> {
  requireSlug(slug)
  const event = { cause: 'stop', force: options.force } as const
  await beforeStop(deps, slug, event, context)
  return thenUnlocked(context, (held) =>
    withLock(deps.root, slug, { operation: 'stop', signal: context.signal }, async () => {
      const metadata = await requireMetadata(deps.root, slug)
      requireWritable(slug, metadata)
      const isRunning = await stopLocked(deps, slug, metadata, { ...options, isForRestart: false }, held)
      if (!isRunning) {
        await callOff(deps.root, slug)
        return { done: [`${slug} was already stopped`], left: [], unrecoverable: [] }
      }
      await appendJournal(deps.root, slug, { op: 'stop', outcome: 'done', message: 'Stopped.' })
      await afterStop(deps, slug, event, held)
      return { done: [`stopped ${slug}`], left: [], unrecoverable: [] }
    }),
  )
}

/** As `stop`, under a lock that the caller holds; false when nothing ran. */
export async function stopLocked(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  way: StopWay,
  context: OperationContext,
): Promise<boolean> {
  const fact = await readRuntime(deps, slug, metadata.backend, context.signal)
  if (fact?.state !== 'running' && fact?.state !== 'paused') return false
  const backend = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, backend, context.signal)
  if (!runtime) return false
  await stopRuntime(deps, backend, slug, runtime, way, context)
  return true
}
