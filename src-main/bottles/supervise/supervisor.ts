import { readLaunched } from '../../agents/launched-agent.ts'
import { needsSupervision } from '../../agents/lifecycle.ts'
import { appendJournal } from '../../state/journal.ts'
import { isSlug } from '../../state/slug.ts'
import { toFailure } from '../../system/bottle-error.ts'
import { readSlugs } from '../read-slugs.ts'
import { type AgentLoop, openLoop } from './agent-loop.ts'
import { endOf, isLaunch, type Launch, readNewestRun } from './current-launch.ts'
import type { Due } from './decide.ts'
import type { Lease } from './lease.ts'
import { createSettling } from './settle-first.ts'
import { takeUp } from './supervision.ts'
import { readSupervision } from './supervision-file.ts'
import type { Session, SupervisorDeps } from './supervisor-deps.ts'
import { createWheel } from './wheel.ts'

/** Milliseconds that the end of a run which the engine already told may take to be recorded. */
const RECORD_MS = 10_000

/** Looks at everything after which engines are asked for ends that no event told: their watches miss them only in gaps. */
const ENDS_EVERY = 5

/** All agents of a root under one lease. */
export interface Supervisor {
  /** Looks at everything once; resolves when every agent that needs it is under supervision. */
  arm(): Promise<void>
  /** Looks at the records, and at no engine: true when there is no agent to look after. */
  isIdle(): Promise<boolean>
  /** Agents under supervision. */
  readonly count: number
  /** Follows the bottles until the lease is lost or the process ends, then lets go of every agent. */
  run(): Promise<void>
}

/** Supervises a root's agents for as long as the signal lets it. `onCount` is told how many there are. */
export function createSupervisor(
  deps: SupervisorDeps,
  lease: Lease,
  signal: AbortSignal,
  onCount: (count: number) => void = () => undefined,
): Supervisor {
  const { root } = deps.services
  const loops = new Map<string, AgentLoop>()
  const turns = new Map<string, Promise<void>>()
  const settle = createSettling(deps.services, () => deps.clock.now(), deps.warn)
  const wheel = createWheel((key) => {
    const [, slug = '', what = ''] = /^([^/]+)\/.*:([a-z]+)$/.exec(key) ?? []
    loops.get(slug)?.due(what as Due)
  }, deps.clock)
  const session: Session = { ...deps, root, lease, wheel, signal, recheck: (slug) => void check(slug) }

  /** One look at a bottle after the other; a wish during a look is one more look. */
  const check = (slug: string, asksEngines = true): Promise<void> => {
    const turn = (turns.get(slug) ?? Promise.resolve())
      .then(() => (signal.aborted ? undefined : checkNow(slug, asksEngines)))
      .catch((thrown: unknown) => {
        if (!signal.aborted) deps.warn(toFailure(thrown, slug))
      })
      .finally(() => {
        if (turns.get(slug) === turn) turns.delete(slug)
      })
    turns.set(slug, turn)
    return turn
  }

  const checkNow = async (slug: string, asksEngines: boolean): Promise<void> => {
    if (asksEngines) await settle(slug, signal)
    const found = await readNewestRun(root, slug)
    const loop = loops.get(slug)
    if (loop && (!found || !isLaunch(found.run, loop.launch))) await drop(loop)
    const current = loops.get(slug)
    if (!found?.run.ref) return
    const end = endOf(found.run)
    if (current) {
      if (end && current.isRunning()) current.exited(end)
      else if (end && current.isIdle()) await drop(current)
      return
    }
    const launched = await readLaunched(root, slug, found.run.id)
    if (!launched || !needsSupervision(launched.lifecycle)) return
    const kept = await readSupervision(root, slug)
    const key = { runId: found.run.id, startedAt: found.run.startedAt }
    const supervision = takeUp(kept, key, deps.clock.now())
    if (end && !isPending(supervision, end.at, launched.lifecycle.restart.windowSeconds, deps.clock.now()))
      return
    const backend = await deps.services.backends.get(found.metadata.backend)
    const launch: Launch = {
      ...key,
      slug,
      ref: found.run.ref,
      isInteractive: found.run.interactive,
      label: found.metadata.label,
      begunWith: found.run.order?.sessionId ?? null,
      launched,
      backend,
      access: (await backend.access?.()) ?? null,
    }
    if (signal.aborted) return
    if (kept === 'damaged') {
      const message = 'What was kept of its supervision was damaged; its startup counts as done.'
      await appendJournal(root, slug, { op: 'supervise', outcome: 'failed', message })
    }
    const opened = await openLoop(session, launch, supervision, end === null)
    loops.set(slug, opened)
    onCount(loops.size)
    if (end && supervision.end === null) opened.exited(end)
  }

  const drop = async (loop: AgentLoop): Promise<void> => {
    loops.delete(loop.launch.slug)
    onCount(loops.size)
    await loop.stop()
  }

  /** Ends that no event told, as of runs that ended while nobody looked: one list call for each engine. */
  const recordEnds = async (): Promise<void> => {
    const running = [...loops.values()].filter((loop) => loop.isRunning())
    const byBackend = Map.groupBy(running, ({ launch }) => launch.backend)
    for (const [backend, own] of byBackend) {
      try {
        const facts = await backend.list(signal)
        const ended = new Set(facts.filter(({ state }) => state === 'exited').map(({ runId }) => runId))
        for (const { launch } of own) {
          if (!ended.has(launch.runId)) continue
          const limited = AbortSignal.any([signal, AbortSignal.timeout(RECORD_MS)])
          await deps.bottles.waitForExit(launch.slug, limited)
          await check(launch.slug)
        }
      } catch (thrown) {
        // An engine that is away ends no agent; what it has is told once it is back.
        if (!signal.aborted) deps.warn(toFailure(thrown))
      }
    }
  }

  const checkRecords = async (asksEngines = true): Promise<void> => {
    const slugs = new Set([...(await readSlugs(deps.services)).filter(isSlug), ...loops.keys()])
    for (const slug of slugs) {
      if (signal.aborted) return
      await check(slug, asksEngines)
    }
  }
  const checkAll = async (): Promise<void> => {
    await checkRecords()
    await recordEnds()
  }

  return {
    arm: checkAll,
    async isIdle() {
      await checkRecords(false)
      return loops.size === 0
    },
    get count() {
      return loops.size
    },
    async run() {
      let rounds = 0
      try {
        for await (const slug of deps.bottles.watch(signal)) {
          if (signal.aborted) break
          if (slug !== null) {
            void check(slug)
            continue
          }
          rounds += 1
          await (rounds % ENDS_EVERY === 0 ? checkAll() : checkRecords())
        }
      } finally {
        wheel.stop()
        await Promise.all([...loops.values()].map((loop) => loop.stop()))
        await Promise.allSettled(turns.values())
        loops.clear()
      }
    },
  }
}

/** True while a rule may still have to do something about a run that has ended. Pure. */
export function isPending(
  kept: ReturnType<typeof takeUp>,
  endedAt: number,
  windowSeconds: number,
  now: number,
): boolean {
  // An end that no supervisor saw, unless it is so long ago that it is history.
  if (kept.end === null) return now - endedAt <= windowSeconds * 1000
  return kept.restarts.begun !== null || kept.restarts.nextAt !== null || kept.freezes.exit === 'due'
}
