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
    const key = keyOf(ref)
    const isAttached = await isThere(attachedMark(run.dir))
    const size = await sizeOf(run.log)
    const known = looks.get(key)
    if (known?.size === size && known.isAttached === isAttached) return known.shown
    const drawn = isAttached || logFrom === null ? null : await views.of(key, run.log, logFrom).look(size)
    const shown = drawn ?? (await (await context.multiplexer(multiplexer)).capture(socket ?? '', signal))
    remember(looks, key, { size, isAttached, shown }, KEPT)
    return shown
  }

  return (ref, signal) =>
    inTurn(ref.runId, async () => {
      const { run } = pathsOf(context.home, ref)
      const isOver = async () => (await runState(run)).kind !== 'running'
      const forget = (): null => {
        looks.delete(keyOf(ref))
        views.drop(keyOf(ref))
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

/** A restart goes on under the same run id, with a terminal of its own. */
function keyOf(ref: RuntimeRef): string {
  const { identity, startedAt } = hostFacts(ref)
  return `${ref.runId} ${identity.pid} ${startedAt}`
}

/** The drawn terminals, least lately used first. */
function createViews(): {
  of(key: string, log: string, logFrom: number): LogView
  drop(key: string): void
} {
  const views = new Map<string, { readonly view: LogView; usedAt: number }>()
  const drop = (key: string): void => {
    views.get(key)?.view.close()
    views.delete(key)
  }
  return {
    drop,
    of(key, log, logFrom) {
      const now = performance.now()
      const { view } = views.get(key) ?? { view: followLog(log, logFrom, START_SIZE) }
      views.delete(key)
      views.set(key, { view, usedAt: now })
      for (const [other, each] of views) {
        if (views.size <= DRAWN && now - each.usedAt < UNUSED_MS) break
        if (each.view !== view && !each.view.isBusy) drop(other)
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
