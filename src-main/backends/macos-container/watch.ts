import type { RuntimeChange, RuntimeFact } from '../backend.ts'
import type { ContainerContext } from './context.ts'
import { listRuntimes } from './list.ts'

/** While a bottle runs; the engine has no events. */
const BUSY_MS = 2000
const CALM_MS = 5000
/** While the program is missing, which costs a look at the PATH, or its services are down. */
const AWAY_MS = 15_000

const GAP: RuntimeChange = { backend: 'macos-container', slug: null, id: null, kind: 'engine' }

/**
 * Changes between two looks, until the signal aborts; one call of the program per look. What this process itself
 * changed is looked at at once. Tells `engine` when the engine comes or goes.
 */
export async function* watchRuntimes(
  context: ContainerContext,
  signal: AbortSignal,
): AsyncGenerator<RuntimeChange> {
  const bell = createBell(context, signal)
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
      await bell.heard(now === null ? AWAY_MS : now.some(isRunning) ? BUSY_MS : CALM_MS)
    }
  } finally {
    bell.close()
  }
}

const isRunning = (fact: RuntimeFact) => fact.state === 'running'

/** Null when the engine does not answer, whatever the reason: trying again is the answer. */
async function look(context: ContainerContext, signal: AbortSignal): Promise<readonly RuntimeFact[] | null> {
  if (!(await context.client.program())) return null
  return listRuntimes(context, signal).catch(() => null)
}

/** Wakes at a ring, at an abort, or when the time is up; a ring before the wait counts. */
function createBell(context: ContainerContext, signal: AbortSignal) {
  let isRung = false
  let wake: () => void = () => undefined
  const ring = (): void => {
    isRung = true
    wake()
  }
  const forget = context.changes.listen(ring)
  signal.addEventListener('abort', ring)
  return {
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
    close: (): void => {
      forget()
      signal.removeEventListener('abort', ring)
    },
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
    return { backend: 'macos-container', slug, id, kind }
  }
  return [
    ...before.filter((fact) => !now.has(keyOf(fact))).map((fact) => change(fact, 'removed')),
    ...after.flatMap((fact) => {
      const was = old.get(keyOf(fact))?.state
      if (was === fact.state) return []
      const kinds = { running: 'started', exited: 'exited', created: 'created', paused: 'paused' } as const
      return [change(fact, kinds[fact.state])]
    }),
  ]
}
