import { mkdir } from 'node:fs/promises'
import type { RuntimeChange, RuntimeFact } from '../backend.ts'
import { pollList } from '../local/poll-list.ts'
import { openWatcher } from '../local/wait-until.ts'
import type { SmolContext } from './context.ts'
import { listRuntimes } from './list.ts'
import { recordsDir } from './owners.ts'

/** While a bottle runs; the engine has no events. */
const BUSY_MS = 3000
/** While machines are there and none runs. */
const CALM_MS = 5000
/** While there is nothing of ours: what comes makes a record, and that rings at once. */
const EMPTY_MS = 30_000
/** While the program is missing: costs a look at the PATH. */
const AWAY_MS = 15_000

/**
 * Changes until the signal aborts; one call of the program per look. Runners touch a file when their agent ends, and
 * launches make one, so that these are seen at once.
 */
export async function* watchRuntimes(
  context: SmolContext,
  signal: AbortSignal,
): AsyncGenerator<RuntimeChange> {
  if (signal.aborted) return
  const folder = recordsDir(context.home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  yield* pollList(
    {
      name: 'smolmachines',
      look: (stop) => listRuntimes(context, stop).catch(() => null),
      pauseAfter,
      listen(ring) {
        const watchers = openWatcher(folder, ring)
        return () => {
          for (const watcher of watchers) watcher.close()
        }
      },
    },
    signal,
  )
}

/** Pure. */
function pauseAfter(facts: readonly RuntimeFact[] | null): number {
  if (facts === null) return AWAY_MS
  if (facts.length === 0) return EMPTY_MS
  return facts.some(({ state }) => state === 'running') ? BUSY_MS : CALM_MS
}
