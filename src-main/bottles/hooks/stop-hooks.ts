import { withLock } from '../../state/lock.ts'
import { type Metadata, readMetadata } from '../../state/metadata.ts'
import type { BottleDeps } from '../deps.ts'
import { readRuntime } from '../read-bottles.ts'
import type { OperationContext } from '../services.ts'
import { later } from './after-lock.ts'
import { hasHooks, refuseNested, runBottleHooks } from './bottle-hooks.ts'

/** Why an agent is stopped. */
export interface StopEvent {
  readonly cause: 'stop' | 'restart' | 'destroy'
  readonly force?: boolean | undefined
}

/**
 * Runs the `pre_stop` hooks of a bottle that runs, before its lock is taken, so that they may freeze it. True when it
 * runs and has hooks about its stop; one without is not looked at.
 * @throws BottleError `hook-failed`, `cancelled` or `busy`: then nothing may be stopped
 */
export async function beforeStop(
  deps: BottleDeps,
  slug: string,
  { cause, force }: StopEvent,
  context: OperationContext,
): Promise<boolean> {
  const seen = await metadataOf(deps, slug)
  if (!hasHooks(seen, 'pre_stop', 'post_stop')) return false
  refuseNested(deps, slug, 'pre_stop')
  // Whatever else goes on with the bottle ends first: a run that is being launched is not in its records yet.
  const { metadata, isRunning } = await withLock(
    deps.root,
    slug,
    { operation: cause, signal: context.signal },
    async () => {
      const metadata = await metadataOf(deps, slug)
      return { metadata, isRunning: metadata !== null && (await runs(deps, slug, metadata, force, context)) }
    },
  )
  if (!isRunning) return false
  await runBottleHooks(deps, metadata, { point: 'pre_stop', context: { cause }, force }, context)
  return true
}

async function metadataOf(deps: BottleDeps, slug: string): Promise<Metadata | null> {
  const read = await readMetadata(deps.root, slug)
  return read.kind === 'ok' ? read.metadata : null
}

async function runs(
  deps: BottleDeps,
  slug: string,
  { backend }: Metadata,
  force: boolean | undefined,
  { signal }: OperationContext,
): Promise<boolean> {
  const fact = await readRuntime(deps, slug, backend, signal).catch((thrown: unknown) => {
    // Who forces it wants it without the engine too.
    if (force) return null
    throw thrown
  })
  return fact?.state === 'running' || fact?.state === 'paused'
}

/** Runs the `post_stop` hooks of a bottle that has been stopped, once its lock is free. */
export async function afterStop(
  deps: BottleDeps,
  slug: string,
  { cause }: StopEvent,
  context: OperationContext,
): Promise<void> {
  const metadata = await metadataOf(deps, slug)
  if (!hasHooks(metadata, 'post_stop')) return
  const exit = metadata?.icebox?.runs.at(-1)?.exit?.code ?? null
  await later(context, () =>
    runBottleHooks(deps, metadata, { point: 'post_stop', context: { cause, exit_code: exit } }, context),
  )
}
