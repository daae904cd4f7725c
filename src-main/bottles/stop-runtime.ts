import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { clearIntent, writeIntent } from '../state/intent.ts'
import { faultPoint } from '../system/fault.ts'
import type { BottleDeps } from './deps.ts'
import { recordExitLocked } from './run-lifecycle.ts'
import type { OperationContext } from './services.ts'
import { withdrawWorkspace } from './withdraw-workspace.ts'

export interface StopWay {
  /** Seconds that the agent gets to end by itself. */
  readonly graceSeconds: number
  /** True when it is started again right after. */
  readonly isForRestart: boolean
}

/** Stops what runs and records its end. The caller holds the bottle's lock. @throws BottleError */
export async function stopRuntime(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runtime: RuntimeRef,
  { graceSeconds, isForRestart }: StopWay,
  context: OperationContext,
): Promise<void> {
  await writeIntent(deps.root, slug, {
    op: 'stop',
    runId: runtime.runId,
    previous: null,
    runtime,
    snapshotId: null,
    target: null,
    draft: null,
    isForRestart,
  })
  faultPoint('stop:after-intent')
  await withdrawWorkspace(deps, backend, runtime, context)
  await backend.stop(runtime, { graceSeconds }, context.signal)
  faultPoint('stop:after-stop')
  const exit = await backend.wait(runtime, context.signal)
  if (exit) await recordExitLocked(deps, backend, slug, runtime.runId, exit, true, context.signal)
  await clearIntent(deps.root, slug)
}
