import { readMetadata } from '../../state/metadata.ts'
import type { BottleDeps } from '../deps.ts'
import { readRuntime } from '../read-bottles.ts'
import type { OperationContext } from '../services.ts'
import { later } from './after-lock.ts'
import { hasHooks, runBottleHooks } from './bottle-hooks.ts'

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
  const read = await readMetadata(deps.root, slug)
  const metadata = read.kind === 'ok' ? read.metadata : null
  if (!metadata || !hasHooks(metadata, 'pre_stop', 'post_stop')) return false
  const fact = await readRuntime(deps, slug, metadata.backend, context.signal).catch((thrown: unknown) => {
    // Who forces it wants it without the engine too.
    if (force) return null
    throw thrown
  })
  if (fact?.state !== 'running' && fact?.state !== 'paused') return false
  await runBottleHooks(deps, metadata, { point: 'pre_stop', context: { cause }, force }, context)
  return true
}

/** Runs the `post_stop` hooks of a bottle that has been stopped, once its lock is free. */
export async function afterStop(
  deps: BottleDeps,
  slug: string,
  { cause }: StopEvent,
  context: OperationContext,
): Promise<void> {
  const read = await readMetadata(deps.root, slug)
  const metadata = read.kind === 'ok' ? read.metadata : null
  if (!metadata || !hasHooks(metadata, 'post_stop')) return
  const exit = metadata.icebox?.runs.at(-1)?.exit?.code ?? null
  await later(context, () =>
    runBottleHooks(deps, metadata, { point: 'post_stop', context: { cause, exit_code: exit } }, context),
  )
}
