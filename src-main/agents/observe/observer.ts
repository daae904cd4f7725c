import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { ScreenText } from '../../backends/agent-access.ts'
import { contextWindow } from '../context/model-window.ts'
import { readStatusLine } from '../context/status-line.ts'
import type { UsageFacts } from '../context/usage-facts.ts'
import { createUsageSource, mergeUsage } from '../context/usage-source.ts'
import { readEvents, readHeartbeat } from './agent-events.ts'
import { assess } from './assess.ts'
import { readScreen } from './screen-signs.ts'
import type { AgentEvent, Heartbeat, LookReason, ObservedAgent, Observer } from './types.ts'

export type { LookReason, ObservedAgent, Observer } from './types.ts'

/** Below the agent's HOME. */
export const EVENTS_FILE = '.icebox/events.jsonl'
export const STATUS_FILE = '.icebox/status.json'
export const HEARTBEAT_FILE = '.icebox/heartbeat.json'

/** Bytes of events that are looked at; a hook's line may hold a whole file. */
const EVENTS_TAIL = 512 * 1024
const SMALL_FILE = 256 * 1024
/** Milliseconds between readings of files while the agent works. */
const READ_GAP = 5_000

/** Looks at one run. Files are read only after output, and while it works not at every one. */
export function createObserver(agent: ObservedAgent): Observer {
  const startedAt = Date.parse(agent.startedAt) || 0
  const source = createUsageSource(agent.access, agent.ref, agent.provider, startedAt)
  let hidden: Promise<readonly string[]> | undefined
  let previous = ownSample(agent, startedAt)
  let shown: string | null = null
  let outputAt: number | null = null
  let readAt: number | null = null
  let isDirty = true
  let transcript: UsageFacts = {}
  let status: UsageFacts | null = null
  let events: readonly AgentEvent[] = []
  let heartbeat: Heartbeat | null = null

  async function look(
    reason: LookReason,
    signal: AbortSignal,
    exitCode: number | null = null,
  ): Promise<AgentSample> {
    const now = agent.now()
    const isTurns = agent.lifecycle.runtime === 'turns'
    const screen =
      reason === 'exit' || isTurns
        ? null
        : await quietly(signal, () => agent.access.screen(agent.ref, signal))
    if (isTurns) heartbeat = await readBeat(signal)
    notice(screen, reason, now)
    if (isDue(screen, reason, isTurns, now)) {
      await readFiles(signal)
      readAt = now
      isDirty = false
    }
    const usage = mergeUsage(transcript, status, lastSession())
    hidden ??= agent.secrets?.().catch(() => []) ?? Promise.resolve([])
    const isThere = screen !== null || (reason === 'output' && !isTurns)
    previous = assess(
      {
        slug: agent.slug,
        runId: agent.runId,
        now,
        run: reason === 'exit' ? 'ended' : isThere ? 'there' : 'unknown',
        exitCode,
        screen,
        outputAt,
        events,
        heartbeat,
        usage: keepOlder(usage),
        contextWindow: windowOf(usage),
        secrets: await hidden,
      },
      previous,
      agent.lifecycle,
      agent.provider,
    )
    return previous
  }

  /** Remembers when something last came. */
  function notice(screen: ScreenText | null, reason: LookReason, now: number): void {
    const text = screen === null ? shown : screen.lines.join('\n')
    const hasChanged = text !== shown
    const told = agent.outputAt?.() ?? null
    // Who follows the output knows better when it came than a look that comes later.
    if (told !== null) outputAt = told
    else if (shown === null && text !== null && reason === 'tick') outputAt = earlierOutput(screen) ?? now
    else if (hasChanged || reason === 'output') outputAt = now
    if (hasChanged || reason !== 'tick') isDirty = true
    shown = text
  }

  /** A supervisor that begins anew must not take a screen that stands still for a fresh one. */
  function earlierOutput(screen: ScreenText | null): number | null {
    if (previous?.runId !== agent.runId || screen === null) return null
    const lines = screen.lines.filter((line) => line.trim() !== '')
    const known = previous.screen.filter((line) => line.trim() !== '')
    const isSame = lines.length === known.length && lines.every((line, index) => line === known[index])
    return isSame && previous.lastActivityAt !== null ? Date.parse(previous.lastActivityAt) : null
  }

  function isDue(screen: ScreenText | null, reason: LookReason, isTurns: boolean, now: number): boolean {
    if (readAt === null || reason === 'exit') return true
    if (!isDirty && !isTurns) return false
    const isAtWork = isTurns
      ? heartbeat?.state === 'working'
      : screen !== null && readScreen(screen.lines).isWorking
    return !isAtWork || now - readAt >= READ_GAP
  }

  async function readFiles(signal: AbortSignal): Promise<void> {
    const [eventText, statusText] = await Promise.all([
      readFile(EVENTS_FILE, EVENTS_TAIL, signal),
      readFile(STATUS_FILE, SMALL_FILE, signal),
    ])
    if (eventText !== null) events = readEvents(eventText).filter(isOfThisRun)
    if (statusText !== null) status = readStatusLine(statusText) ?? status
    const sessionId = status?.sessionId ?? lastSession()
    const read = await quietly(signal, () => source.read(sessionId, signal))
    if (read !== null && Object.keys(read).length > 0) transcript = read
  }

  function isOfThisRun({ at }: AgentEvent): boolean {
    return at === null || at >= startedAt - 1000
  }

  function lastSession(): string | null {
    return events.findLast(({ sessionId }) => sessionId !== null)?.sessionId ?? null
  }

  async function readBeat(signal: AbortSignal): Promise<Heartbeat | null> {
    const text = await readFile(HEARTBEAT_FILE, SMALL_FILE, signal)
    const beat = text === null ? null : readHeartbeat(text)
    // The file of an earlier run may lie there until the runner has begun.
    return beat !== null && beat.at < startedAt - 1000 ? heartbeat : (beat ?? heartbeat)
  }

  async function readFile(path: string, tailBytes: number, signal: AbortSignal): Promise<string | null> {
    const content = await quietly(signal, () =>
      agent.access.read(agent.ref, { base: 'home', path }, tailBytes, signal),
    )
    return content === null ? null : Buffer.from(content).toString('utf8')
  }

  function windowOf(usage: UsageFacts): number | null {
    const { env = {} } = agent
    return contextWindow(usage.model ?? agent.model ?? null, {
      told: usage.window ?? null,
      override: env.ICEBOX_CONTEXT_WINDOW,
      asked: agent.model ?? null,
      betas: [env.ANTHROPIC_BETAS, env.ANTHROPIC_CUSTOM_HEADERS].join(' '),
      seen: usage.tokens ?? null,
    })
  }

  /** Until the files could be read, what the last look of this run knew still holds. */
  function keepOlder(usage: UsageFacts): UsageFacts {
    if (previous?.runId !== agent.runId) return usage
    const { contextTokens, model, sessionId, costUsd, limits } = previous
    const older: UsageFacts = {
      ...(contextTokens === null ? {} : { tokens: contextTokens }),
      ...(model === null ? {} : { model }),
      ...(sessionId === null ? {} : { sessionId }),
      ...(costUsd === null ? {} : { costUsd }),
      ...(limits.length === 0 ? {} : { limits }),
    }
    return Object.keys(transcript).length === 0 && status === null ? { ...older, ...usage } : usage
  }

  return { look }
}

/** A sample of another run, or of an earlier launch of this one, tells nothing of it but what became of restarts. */
function ownSample({ previous, runId }: ObservedAgent, startedAt: number): AgentSample | null {
  if (previous === null || previous.runId !== runId) return previous
  return Date.parse(previous.at) >= startedAt ? previous : { ...previous, runId: '' }
}

/** Null where the agent's things could not be read; only the caller's own end is an error. */
async function quietly<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return null
  }
}
