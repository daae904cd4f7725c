import type { RuntimeChange, RuntimeFact } from '../backend.ts'

/** How to follow an engine that has no events. */
export interface PolledEngine {
  readonly name: RuntimeFact['backend']
  /** One look at everything; null when the engine does not answer, whatever the reason. */
  look(signal: AbortSignal): Promise<readonly RuntimeFact[] | null>
  /** Milliseconds until the next look, by what the last one found. Pure. */
  pauseAfter(facts: readonly RuntimeFact[] | null): number
  /** Begins to call back when something makes a look worthwhile before its time; returns what ends that. */
  listen(ring: () => void): () => void
}

/** Changes between two looks, until the signal aborts. Tells `engine` when the engine comes or goes. */
export async function* pollList(engine: PolledEngine, signal: AbortSignal): AsyncGenerator<RuntimeChange> {
  if (signal.aborted) return
  const bell = createBell(engine, signal)
  let known: readonly RuntimeFact[] | null = null
  let isAway = false
  try {
    while (!signal.aborted) {
      const now = await engine.look(signal)
      if (signal.aborted) return
      if (now && known) yield* changesBetween(engine.name, known, now)
      else if (now || !isAway) yield { backend: engine.name, slug: null, id: null, kind: 'engine' }
      isAway = now === null
      known = now
      await bell.heard(engine.pauseAfter(now))
    }
  } finally {
    bell.close()
  }
}

/** Wakes at a ring, at an abort, or when the time is up; a ring before the wait counts. */
function createBell(engine: PolledEngine, signal: AbortSignal) {
  let isRung = false
  let wake: () => void = () => undefined
  const ring = (): void => {
    isRung = true
    wake()
  }
  const leave = engine.listen(ring)
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
      leave()
      signal.removeEventListener('abort', ring)
    },
  }
}

const KINDS = { running: 'started', exited: 'exited', created: 'created', paused: 'paused' } as const

/** Pure. A name that comes back with another run is one that went and one that came. */
export function changesBetween(
  backend: RuntimeFact['backend'],
  before: readonly RuntimeFact[],
  after: readonly RuntimeFact[],
): readonly RuntimeChange[] {
  const keyOf = (fact: RuntimeFact) => `${fact.id} ${fact.runId ?? ''}`
  const old = new Map(before.map((fact) => [keyOf(fact), fact]))
  const now = new Set(after.map(keyOf))
  const change = ({ slug, id }: RuntimeFact, kind: RuntimeChange['kind']): RuntimeChange => {
    return { backend, slug, id, kind }
  }
  return [
    ...before.filter((fact) => !now.has(keyOf(fact))).map((fact) => change(fact, 'removed')),
    ...after.flatMap((fact) =>
      old.get(keyOf(fact))?.state === fact.state ? [] : [change(fact, KINDS[fact.state])],
    ),
  ]
}
