import type { ScreenText } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { sizeOf } from '../local/output-bell.ts'
import type { HostContext } from './host-context.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

/** Looks that are remembered; older ones are just taken again. */
const KEPT = 256

/** Looks at terminals, asking their server only when there was output since the last look. */
export function createScreens(
  context: HostContext,
): (ref: RuntimeRef, signal: AbortSignal) => Promise<ScreenText | null> {
  const looks = new Map<string, { readonly size: number; readonly shown: ScreenText }>()
  return async (ref, signal) => {
    const { socket, multiplexer } = hostFacts(ref)
    const { run } = pathsOf(context.home, ref)
    if (!socket || (await runState(run)).kind !== 'running') {
      looks.delete(ref.runId)
      return null
    }
    const size = await sizeOf(run.log)
    const known = looks.get(ref.runId)
    if (known?.size === size) return known.shown
    try {
      const shown = await (await context.multiplexer(multiplexer)).capture(socket, signal)
      looks.delete(ref.runId)
      looks.set(ref.runId, { size, shown })
      for (const oldest of looks.keys()) {
        if (looks.size <= KEPT) break
        looks.delete(oldest)
      }
      return shown
    } catch (thrown) {
      // The terminal ends with the agent.
      if (signal.aborted || (await runState(run)).kind === 'running') throw thrown
      return null
    }
  }
}
