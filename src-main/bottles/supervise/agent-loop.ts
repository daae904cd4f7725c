import type { Lifecycle } from '../../agents/lifecycle.ts'
import { readSample } from '../../state/agent-sample.ts'
import { toFailure } from '../../system/bottle-error.ts'
import { createActions } from './act.ts'
import type { RunEnd } from './back-off.ts'
import type { Launch } from './current-launch.ts'
import { type Action, type AgentEvent, type Due, decide } from './decide.ts'
import { dues } from './dues.ts'
import { pause } from './pause.ts'
import { type AgentState, keptPart, openState, type Supervision } from './supervision.ts'
import { writeSupervision } from './supervision-file.ts'
import type { Session } from './supervisor-deps.ts'

/** Milliseconds before an agent's output that could not be followed is followed again. */
const FOLLOW_AGAIN_MS = 5000

/** One launch under supervision: its state, its clock entries and its turn-taking. */
export interface AgentLoop {
  readonly launch: Launch
  /** True while nothing is left to do for a run that has ended. */
  isIdle(): boolean
  isRunning(): boolean
  due(what: Due): void
  exited(end: RunEnd): void
  /** Ends what it does; nothing of it comes later. Resolves when its last act is over. */
  stop(): Promise<void>
}

/** Begins to supervise a launch, with what an earlier supervisor kept of it. */
export async function openLoop(
  session: Session,
  launch: Launch,
  kept: Supervision,
  isRunning: boolean,
): Promise<AgentLoop> {
  const { root, clock, wheel } = session
  const { lifecycle } = launch.launched
  const stopping = new AbortController()
  const signal = AbortSignal.any([session.signal, stopping.signal])
  const prefix = `${launch.slug}/${launch.runId}@${launch.startedAt}:`
  const hasAccess = launch.access !== null
  let state: AgentState = openState(kept, isRunning, await readSample(root, launch.slug))
  // What the file holds; null until it was written once, since the file may be of another launch.
  let written: Supervision | null = null
  // Restarts as they were before one was decided whose turn has not come: kept as begun already, it would pass for one
  // whose hook went out, though what comes before it may take minutes.
  let beforeRestart: Supervision['restarts'] | null = null
  let queue: Promise<void> = Promise.resolve()
  let queued = 0

  const persist = async (): Promise<void> => {
    const current = keptPart(state)
    const now = beforeRestart ? { ...current, restarts: beforeRestart } : current
    if (written !== null && isSame(written, now)) return
    // A supervisor that lost its lease must not write over what its successor knows.
    if (!(await session.lease.holds())) return
    await writeSupervision(root, launch.slug, session.lease.generation, now)
    written = now
  }

  const enqueue = (run: () => Promise<void>): void => {
    queued += 1
    queue = queue.then(async () => {
      try {
        if (!signal.aborted) await run()
      } catch (thrown) {
        if (!signal.aborted) session.warn(thrown)
      } finally {
        queued -= 1
        if (queued === 0 && !signal.aborted && !state.isRunning) session.recheck(launch.slug)
      }
    })
  }

  const setClock = (): void => {
    if (signal.aborted) return
    for (const [what, at] of Object.entries(dues(state, lifecycle, hasAccess))) {
      wheel.set(`${prefix}${what}`, at)
    }
  }

  const dispatch = (event: AgentEvent): void => {
    if (signal.aborted) return
    const decision = decide(state, event, lifecycle, clock.now(), session.random())
    const hasChanged = !isSame(keptPart(state), keptPart(decision.state))
    const { actions } = decision
    const isRestart = actions.some(({ kind }) => kind === 'restart')
    if (isRestart) beforeRestart ??= state.restarts
    state = decision.state
    setClock()
    if (!hasChanged && actions.length === 0) return
    enqueue(() => {
      if (isRestart) beforeRestart = null
      return performOrTell(actions)
    })
  }

  // Kept before it is done: after a crash nothing is done twice, and what was begun is known.
  const performAll = async (actions: readonly Action[]): Promise<void> => {
    await persist()
    for (const action of actions) {
      if (signal.aborted) return
      if (!(await session.lease.holds())) return
      if (!(await act(action))) return
    }
  }

  /** A restart that can't even be written down, as with a full disk, has failed like any other. */
  const performOrTell = async (actions: readonly Action[]): Promise<void> => {
    try {
      await performAll(actions)
    } catch (thrown) {
      if (actions.some(({ kind }) => kind === 'restart') && state.restarts.begun !== null) {
        const { message } = toFailure(thrown, launch.slug)
        dispatch({ kind: 'restart-failed', message, isFinal: false })
      }
      throw thrown
    }
  }

  const act = createActions({
    session,
    launch,
    signal,
    state: () => state,
    dispatch,
    save: persist,
    saveStartup: async (progress) => {
      dispatch({ kind: 'startup', progress, state: 'pending' })
      await persist()
    },
  })

  const follow = async (): Promise<void> => {
    while (!signal.aborted && state.isRunning && launch.access) {
      try {
        for await (const _at of launch.access.output(launch.ref, signal)) {
          dispatch({ kind: 'output', at: clock.now() })
          if (signal.aborted) return
        }
        // The run is over; its record will tell.
        return
      } catch (thrown) {
        if (signal.aborted) return
        session.warn(toFailure(thrown, launch.slug))
        await pause(clock, FOLLOW_AGAIN_MS, signal)
      }
    }
  }

  dispatch({ kind: 'armed', hasStartup: hasAccess && launch.isInteractive && needsStartup(lifecycle) })
  enqueue(persist)
  void follow()
  return {
    launch,
    isRunning: () => state.isRunning,
    isIdle: () =>
      !state.isRunning &&
      queued === 0 &&
      state.restarts.nextAt === null &&
      state.restarts.begun === null &&
      state.freezes.retryAt === null,
    due: (what) => dispatch({ kind: 'due', what }),
    exited: (end) => dispatch({ kind: 'exited', end }),
    async stop() {
      stopping.abort()
      wheel.drop(prefix)
      await queue
    },
  }
}

/** True for an agent whose terminal is looked after while it starts. Pure. */
export function needsStartup({ runtime, startup }: Lifecycle): boolean {
  if (runtime !== null) return runtime === 'terminal'
  return startup.commands.length > 0 || startup.answers.length > 0
}

function isSame(a: Supervision, b: Supervision): boolean {
  const keys = Object.keys(a) as (keyof Supervision)[]
  return keys.every((key) => a[key] === b[key])
}
