import { setTimeout as sleep } from 'node:timers/promises'
import type { CaptureState } from './capture-state.ts'
import type { Engine } from './engine.ts'
import { inspectImage } from './image-source.ts'
import { inspectContainer } from './remove-objects.ts'

const POLL_MS = 100
/** How long a container must be seen unpaused before a commit that pauses counts as over. */
const QUIET_MS = 1000

/**
 * Waits until it is known whether the target of a capture exists: a commit goes on when its client is gone.
 * `unknown` when the bound passed and nobody can tell.
 */
export async function settleTarget(
  engine: Engine,
  containerId: string,
  reference: string,
  state: CaptureState | null,
  boundMs: number,
  signal: AbortSignal,
): Promise<'present' | 'absent' | 'unknown'> {
  const until = Date.now() + boundMs
  let quietSince: number | null = null
  for (;;) {
    const container = await inspectContainer(engine, containerId, signal)
    // In this order: the tag is set before the pause ends.
    if (await inspectImage(engine, reference, signal)) {
      const isBusy = state?.committing && state.isSeen && container?.State.Paused
      if (!isBusy) return 'present'
    } else if (!state?.committing) return 'absent'
    else if (state.isSeen && !container?.State.Paused) {
      quietSince ??= Date.now()
      if (Date.now() - quietSince >= QUIET_MS) return 'absent'
    } else quietSince = null
    if (Date.now() > until) return 'unknown'
    await sleep(POLL_MS, undefined, { signal })
  }
}
