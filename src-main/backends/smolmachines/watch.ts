import { mkdir } from 'node:fs/promises'
import type { RuntimeChange, RuntimeFact } from '../backend.ts'
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

const GAP: RuntimeChange = { backend: 'smolmachines', slug: null, id: null, kind: 'engine' }

/**
 * Changes between two looks, until the signal aborts; one call of the program per look. Runners touch a file when
 * their agent ends, and launches make one, so that these are seen at once. Tells `engine` when the engine comes or goes.
 */
export async function* watchRuntimes(
  context: SmolContext,
  signal: AbortSignal,
): AsyncGenerator<RuntimeChange> {
  if (signal.aborted) return
  const folder = recordsDir(context.home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const bell = createBell(signal)
  const watchers = openWatcher(folder, bell.ring)
  let known: readonly RuntimeFact[] | null = null
  let isAway = false
  try {
    while (!signal.aborted) {
      const now = await look(context, signal)
      if (signal.aborted) return
      if (now && known) yield* changesBetween(known, now)
      else if (now || !isAway) yield GAP
      isAway = now === null
      known = now
      await bell.heard(pauseAfter(now))
    }
  } finally {
    bell.close()
    for (const watcher of watchers) watcher.close()
  }
}

/** Pure. */
function pauseAfter(facts: readonly RuntimeFact[] | null): number {
  if (facts === null) return AWAY_MS
  if (facts.length === 0) return EMPTY_MS
  return facts.some(({ state }) => state === 'running') ? BUSY_MS : CALM_MS
}

/** Null when the engine does not answer, whatever the reason: trying again is the answer. */
async function look(context: SmolContext, signal: AbortSignal): Promise<readonly RuntimeFact[] | null> {
  return listRuntimes(context, signal).catch(() => null)
}

/** Wakes at a ring, at an abort, or when the time is up; a ring before the wait counts. */
function createBell(signal: AbortSignal) {
  let isRung = false
  let wake: () => void = () => undefined
  const ring = (): void => {
    isRung = true
    wake()
  }
  signal.addEventListener('abort', ring)
  return {
    ring,
    async heard(milliseconds: number): Promise<void> {
      if (!isRung) {
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, milliseconds)
        })
        clearTimeout(timer)
      }
      isRung = false
    },
    close: () => signal.removeEventListener('abort', ring),
  }
}

/** Pure. A name that comes back with another run is one that went and one that came. */
export function changesBetween(
  before: readonly RuntimeFact[],
  after: readonly RuntimeFact[],
): readonly RuntimeChange[] {
  const keyOf = (fact: RuntimeFact) => `${fact.id} ${fact.runId ?? ''}`
  const old = new Map(before.map((fact) => [keyOf(fact), fact]))
  const now = new Set(after.map(keyOf))
  const change = ({ slug, id }: RuntimeFact, kind: RuntimeChange['kind']): RuntimeChange => {
    return { backend: 'smolmachines', slug, id, kind }
  }
  const kinds = { running: 'started', exited: 'exited', created: 'created', paused: 'paused' } as const
  return [
    ...before.filter((fact) => !now.has(keyOf(fact))).map((fact) => change(fact, 'removed')),
    ...after.flatMap((fact) =>
      old.get(keyOf(fact))?.state === fact.state ? [] : [change(fact, kinds[fact.state])],
    ),
  ]
}
