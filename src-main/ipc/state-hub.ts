import { setTimeout as delay } from 'node:timers/promises'
import type { Bottle, EngineReport, StatePatch, StateSnapshot } from '../../src-preload/contract/index.ts'
import type { Bottles } from '../bottles/services.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { createDiskFigures } from './disk-figures.ts'
import { createPatchOutbox } from './patch-outbox.ts'
import { createRefresher } from './refresher.ts'
import { createSecondLooks } from './second-looks.ts'
import { diffState, EMPTY_STATE, type LiveState, mergeRows } from './state-diff.ts'

/** One picture of everything a page shows, kept current while pages look at it. */
export interface StateHub {
  /** What is known now; waits at most 1.5 s for the first list, so that a page never paints a false "nothing". */
  snapshot(): Promise<StateSnapshot>
  /** Numbered patches after the snapshot, coalesced; nothing is read from engines while nobody listens. */
  subscribe(listener: (patch: StatePatch) => void): () => void
  /** Asks every engine again. @throws BottleError */
  probeEngines(): Promise<EngineReport[]>
  close(): void
}

export interface StateHubOptions {
  readonly bottles: Pick<Bottles, 'list' | 'rows' | 'trash' | 'engines' | 'snapshots' | 'watch'>
  readonly tasks: TaskQueue
  readonly home: string
  readonly version: string
  /** Told once per cause when something can't be read; the last known state stays. */
  readonly warn: (error: unknown) => void
}

const LIST_GAP_MS = 16
/** Changed bottles up to which only their rows are read. */
const MOST_ROWS = 8
const ENGINE_GAP_MS = 2000
const SLOW_ROUND_MS = 60_000
const FIRST_ANSWER_MS = 1500

/** Starts reading at once, so that the first page finds the list ready. */
export function createStateHub(options: StateHubOptions): StateHub {
  const { bottles, tasks } = options
  const stop = new AbortController()
  const outbox = createPatchOutbox()
  const diskFigures = createDiskFigures(options.home, (slug) => bottles.snapshots(slug))
  let state: LiveState = EMPTY_STATE
  let listeners = 0
  let isStale = false
  let isTrashStale = true
  let hasProbed = false
  let slowRound: NodeJS.Timeout | undefined

  const apply = (part: Partial<LiveState>): void => {
    const diff = diffState(state, { ...state, ...part })
    state = diff.state
    outbox.add(diff.changes)
  }

  const rowOf = (slug: string) => state.bottles.find((row) => row.slug === slug)
  const secondLooks = createSecondLooks((slugs) => {
    for (const slug of slugs) wanted?.add(slug)
    rows.request()
  })

  // Slugs to read anew; null once everything must be, as at first.
  let wanted: Set<string> | null = null
  const readWanted = async (): Promise<Bottle[]> => {
    const slugs = wanted
    wanted = new Set()
    try {
      if (slugs === null || slugs.size > MOST_ROWS) return [...(await bottles.list(stop.signal))]
      return mergeRows(state.bottles, await bottles.rows([...slugs], stop.signal))
    } catch (error) {
      wanted = null
      throw error
    }
  }
  const rows = createRefresher(
    async () => {
      const before = state.bottles
      apply({ bottles: await readWanted() })
      secondLooks.listed(rowOf)
      if (state.bottles.length !== before.length) isTrashStale = true
      if (!isTrashStale) return
      isTrashStale = false
      apply({ trash: [...(await bottles.trash())] })
    },
    { gapMs: LIST_GAP_MS, retryMs: 1000, onError: options.warn },
  )
  const probe = async (): Promise<void> => {
    apply({ engines: [...(await bottles.engines(stop.signal))] })
    hasProbed = true
  }
  const engines = createRefresher(() => probe(), {
    gapMs: ENGINE_GAP_MS,
    retryMs: 2000,
    onError: options.warn,
  })
  const disk = createRefresher(async () => apply({ disk: await diskFigures(state.bottles) }), {
    gapMs: 1000,
    retryMs: 5000,
    onError: options.warn,
  })

  const changed = (slug: string | null): void => {
    if (listeners === 0) {
      isStale = true
      return
    }
    if (slug === null) {
      engines.request()
      wanted = null
    } else {
      secondLooks.expect(slug, rowOf(slug))
      wanted?.add(slug)
    }
    rows.request()
  }
  const everything = (): void => {
    isStale = false
    isTrashStale = true
    wanted = null
    rows.request()
    engines.request()
  }
  const lookAround = (): void => {
    isTrashStale = true
    wanted = null
    rows.request()
    disk.request()
  }

  const stopTasks = tasks.onChange(() => {
    const wasRunning = state.tasks.filter((task) => task.state === 'running').length
    apply({ tasks: [...tasks.list()] })
    if (state.tasks.filter((task) => task.state === 'running').length < wasRunning) {
      isTrashStale = true
      wanted = null
      if (listeners > 0) rows.request()
      else isStale = true
    }
  })
  void follow(bottles, stop.signal, changed, options.warn)
  everything()

  return {
    async snapshot() {
      if (isStale) everything()
      await Promise.race([
        Promise.all([rows.settled(), hasProbed || engines.settled()]),
        delay(FIRST_ANSWER_MS, undefined, { signal: stop.signal }).catch(() => undefined),
      ])
      outbox.flush()
      return {
        revision: outbox.revision(),
        ...state,
        home: options.home,
        platform: process.platform,
        version: options.version,
      }
    },
    subscribe(listener) {
      const leave = outbox.subscribe(listener)
      listeners += 1
      if (listeners === 1) {
        slowRound = setInterval(lookAround, SLOW_ROUND_MS)
        slowRound.unref()
        if (isStale) everything()
        void rows.settled().then(() => disk.request())
      }
      let isSubscribed = true
      return () => {
        if (!isSubscribed) return
        isSubscribed = false
        leave()
        listeners -= 1
        if (listeners === 0) clearInterval(slowRound)
      }
    },
    async probeEngines() {
      await probe()
      return state.engines
    },
    close() {
      stop.abort()
      stopTasks()
      clearInterval(slowRound)
      for (const part of [secondLooks, rows, engines, disk, outbox]) part.close()
    },
  }
}

/** Reads the changes until stopped; a broken watch starts again, and what it missed is read as a whole. */
async function follow(
  bottles: Pick<Bottles, 'watch'>,
  signal: AbortSignal,
  changed: (slug: string | null) => void,
  warn: (error: unknown) => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      for await (const slug of bottles.watch(signal)) {
        failures = 0
        changed(slug)
      }
    } catch (error) {
      if (!signal.aborted) warn(error)
    }
    await delay(Math.min(10_000, 500 * 2 ** failures), undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) changed(null)
  }
}
