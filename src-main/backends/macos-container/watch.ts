import type { RuntimeChange, RuntimeFact } from '../backend.ts'
import { pollList } from '../local/poll-list.ts'
import type { ContainerContext } from './context.ts'
import { listRuntimes } from './list.ts'

/** While a bottle runs; the engine has no events. */
const BUSY_MS = 2000
const CALM_MS = 5000
/** While the program is missing, which costs a look at the PATH, or its services are down. */
const AWAY_MS = 15_000

/** Changes until the signal aborts; one call of the program per look, and one at once after what this process changed. */
export function watchRuntimes(context: ContainerContext, signal: AbortSignal): AsyncGenerator<RuntimeChange> {
  return pollList(
    {
      name: 'macos-container',
      async look(stop) {
        if (!(await context.client.program())) return null
        return listRuntimes(context, stop).catch(() => null)
      },
      pauseAfter,
      listen: (ring) => context.changes.listen(ring),
    },
    signal,
  )
}

/** Pure. */
function pauseAfter(facts: readonly RuntimeFact[] | null): number {
  if (facts === null) return AWAY_MS
  return facts.some(({ state }) => state === 'running') ? BUSY_MS : CALM_MS
}
