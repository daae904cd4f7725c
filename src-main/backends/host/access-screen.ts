import { access } from 'node:fs/promises'
import type { ScreenText } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { followLog, type LogView } from '../local/follow-view.ts'
import { createTurns } from '../local/in-turn.ts'
import { START_SIZE } from '../local/multiplexer.ts'
import { sizeOf } from '../local/output-bell.ts'
import { attachedMark } from '../local/start-runner.ts'
import type { HostContext } from './host-context.ts'
import type { RunPaths } from './paths.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

/** Looks that are remembered, and terminals that are kept drawn; others are just drawn anew. */
const KEPT = 256
const DRAWN = 64
/** Milliseconds after which a terminal that nobody looked at is let go. */
const UNUSED_MS = 600_000

interface Look {
  readonly size: number
  readonly isAttached: boolean
  readonly shown: ScreenText
}

/**
 * Looks at terminals. One that nobody ever sat at is drawn from the run's log, without a process; otherwise, or where
 * terminals disagree on what a character looks like, its server is asked, once after each output.
 */
export function createScreens(
  context: HostContext,
): (ref: RuntimeRef, signal: AbortSignal) => Promise<ScreenText | null> {
  const looks = new Map<string, Look>()
  const views = createViews()
  const inTurn = createTurns()

  async function take(ref: RuntimeRef, run: RunPaths, signal: AbortSignal): Promise<ScreenText> {
    const { socket, multiplexer, logFrom } = hostFacts(ref)
    const isAttached = await isThere(attachedMark(run.dir))
    const size = await sizeOf(run.log)
    const known = looks.get(ref.runId)
    if (known?.size === size && known.isAttached === isAttached) return known.shown
    const drawn = isAttached || logFrom === null ? null : await views.of(run, logFrom).look(size)
    const shown = drawn ?? (await (await context.multiplexer(multiplexer)).capture(socket ?? '', signal))
    remember(looks, ref.runId, { size, isAttached, shown }, KEPT)
    return shown
  }

  return (ref, signal) =>
    inTurn(ref.runId, async () => {
      const { run } = pathsOf(context.home, ref)
      const isOver = async () => (await runState(run)).kind !== 'running'
      const forget = (): null => {
        looks.delete(ref.runId)
        views.drop(ref.runId)
        return null
      }
      if (hostFacts(ref).socket === null || (await isOver())) return forget()
      try {
        return await take(ref, run, signal)
      } catch (thrown) {
        // The terminal ends with the agent.
        if (signal.aborted || !(await isOver())) throw thrown
        return forget()
      }
    })
}

/** The drawn terminals, least lately used first. */
function createViews(): { of(run: RunPaths, logFrom: number): LogView; drop(runId: string): void } {
  const views = new Map<string, { readonly view: LogView; usedAt: number }>()
  const drop = (runId: string): void => {
    views.get(runId)?.view.close()
    views.delete(runId)
  }
  return {
    drop,
    of(run, logFrom) {
      const now = performance.now()
      const { view } = views.get(run.runId) ?? { view: followLog(run.log, logFrom, START_SIZE) }
      views.delete(run.runId)
      views.set(run.runId, { view, usedAt: now })
      for (const [runId, each] of views) {
        if (views.size <= DRAWN && now - each.usedAt < UNUSED_MS) break
        if (each.view !== view && !each.view.isBusy) drop(runId)
      }
      return view
    },
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
