import { mkdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isPidTaken } from '../../system/process-identity.ts'
import type { RuntimeChange, RuntimeFact } from '../backend.ts'
import { inBatches } from '../local/in-batches.ts'
import { openWatcher } from '../local/wait-until.ts'
import type { HostContext } from './host-context.ts'
import { factOf, listRuns, pidOf } from './list-runs.ts'
import { indexDir } from './paths.ts'

/** Finds runners that were killed, which no file tells. */
const POLL_MS = 5000
/** Ticks after which what runs is looked at in earnest: by then another process may have got a dead one's pid. */
const EARNEST_TICKS = 12
/** A start or an end touches several files; one look serves them all. */
const SETTLE_MS = 15

/**
 * Changes of runs until the signal aborts. One folder watch serves all bottles: runners touch a file of it when
 * they end, launches and removals make and remove one.
 */
export async function* watchRuns(context: HostContext, signal: AbortSignal): AsyncGenerator<RuntimeChange> {
  if (signal.aborted) return
  const folder = indexDir(context.home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const bell = createBell()
  const watchers = openWatcher(folder, () => bell.ring('all'))
  // Without a watch every tick has to look at everything.
  let ticks = 0
  const timer = setInterval(() => {
    ticks += 1
    const scope = ticks % EARNEST_TICKS === 0 ? 'running' : 'pids'
    bell.ring(watchers.length > 0 ? scope : 'all')
  }, POLL_MS)
  const onAbort = (): void => bell.ring('all')
  signal.addEventListener('abort', onAbort)
  try {
    let known = byRun(await listRuns(context))
    for (;;) {
      const scope = await bell.heard()
      if (signal.aborted) return
      if (scope === 'all') await delay(SETTLE_MS)
      const now = scope === 'all' ? byRun(await listRuns(context)) : await refreshed(context, known, scope)
      yield* changesBetween(known, now)
      known = now
    }
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', onAbort)
    for (const watcher of watchers) watcher.close()
  }
}

/**
 * Looks again at what ran; everything else can only change together with a file. With `pids` only at those whose process
 * is gone, so that many quiet runs cost nothing to speak of.
 */
async function refreshed(
  context: HostContext,
  known: ReadonlyMap<string, RuntimeFact>,
  scope: 'running' | 'pids',
): Promise<ReadonlyMap<string, RuntimeFact>> {
  const mayHaveEnded = (fact: RuntimeFact) => scope === 'running' || !isPidTaken(pidOf(fact))
  if (![...known.values()].some((fact) => fact.state === 'running' && mayHaveEnded(fact))) return known
  const entries = await inBatches([...known], 32, async ([key, fact]) => {
    if (fact.state !== 'running' || !fact.slug || !fact.runId || !mayHaveEnded(fact))
      return [key, fact] as const
    return [key, await factOf(context, fact.slug, fact.runId)] as const
  })
  return new Map(entries.flatMap(([key, fact]) => (fact ? [[key, fact] as const] : [])))
}

type Scope = 'all' | 'running' | 'pids'

const RANK: Readonly<Record<Scope, number>> = { pids: 0, running: 1, all: 2 }

/** Remembers a ring until somebody listens; of two the wider scope wins. */
function createBell(): { ring(scope: Scope): void; heard(): Promise<Scope> } {
  let pending: Scope | null = null
  let wake: () => void = () => undefined
  return {
    ring(scope) {
      if (pending === null || RANK[scope] > RANK[pending]) pending = scope
      wake()
    },
    async heard() {
      while (pending === null) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const scope = pending
      pending = null
      return scope
    },
  }
}

function byRun(facts: readonly RuntimeFact[]): ReadonlyMap<string, RuntimeFact> {
  return new Map(facts.map((fact) => [`${fact.slug}.${fact.runId}`, fact]))
}

/** Pure. */
export function changesBetween(
  before: ReadonlyMap<string, RuntimeFact>,
  after: ReadonlyMap<string, RuntimeFact>,
): readonly RuntimeChange[] {
  const change = (fact: RuntimeFact, kind: RuntimeChange['kind']): RuntimeChange => ({
    backend: 'host',
    slug: fact.slug,
    id: fact.id,
    kind,
  })
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, fact]) => change(fact, 'removed'))
  const moved = [...after].flatMap(([key, fact]) => {
    const old = before.get(key)
    if (old?.state === fact.state && old.id === fact.id) return []
    return [change(fact, fact.state === 'exited' ? 'exited' : 'started')]
  })
  return [...removed, ...moved]
}
