import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { ScreenText } from '../../backends/agent-access.ts'
import { contextWindow } from '../context/model-window.ts'
import type { UsageFacts } from '../context/usage-facts.ts'
import { createFileReader, quietly } from './agent-files.ts'
import { assess } from './assess.ts'
import { readScreen } from './screen-signs.ts'
import type { LookReason, ObservedAgent, Observer } from './types.ts'

export type { LookReason, ObservedAgent, Observer } from './types.ts'

/** Milliseconds between readings of files while the agent works. */
const READ_GAP = 5_000

/** Looks at one run. Files are read only after output, and while it works not at every one. */
export function createObserver(agent: ObservedAgent): Observer {
  const startedAt = Date.parse(agent.startedAt) || 0
  const isTurns = agent.lifecycle.runtime === 'turns'
  const files = createFileReader(agent, startedAt)
  let hidden: readonly string[] = []
  let previous = ownSample(agent, startedAt)
  let shown: string | null = null
  let outputAt: number | null = null
  let readAt: number | null = null
  let isDirty = true

  async function look(
    reason: LookReason,
    signal: AbortSignal,
    exitCode: number | null = null,
  ): Promise<AgentSample> {
    const now = agent.now()
    const hasScreen = reason !== 'exit' && !isTurns
    const screen = hasScreen ? await quietly(signal, () => agent.access.screen(agent.ref, signal)) : null
    if (isTurns) await files.readBeat(signal)
    notice(screen, reason, now)
    if (isDue(screen, reason, now)) {
      await files.read(signal)
      readAt = now
      isDirty = false
    }
    const { events, heartbeat, usage: found } = files.known()
    const usage = found ?? olderUsage(previous, agent.runId)
    // Values that can't be told now may be told at the next look; until then those of the last one count.
    hidden = (await agent.secrets?.().catch(() => hidden)) ?? []
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
        usage,
        contextWindow: windowOf(agent, usage),
        secrets: hidden,
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
    else if (shown === null && screen !== null && reason === 'tick') {
      outputAt = earlierOutput(screen, previous, agent.runId) ?? now
    } else if (hasChanged || reason === 'output') outputAt = now
    if (hasChanged || reason !== 'tick') isDirty = true
    shown = text
  }

  function isDue(screen: ScreenText | null, reason: LookReason, now: number): boolean {
    if (readAt === null || reason === 'exit') return true
    if (!isDirty && !isTurns) return false
    const isAtWork = isTurns
      ? files.known().heartbeat?.state === 'working'
      : screen !== null && readScreen(screen.lines).isWorking
    return !isAtWork || now - readAt >= READ_GAP
  }

  return { look }
}

/** A sample of another run, or of an earlier launch of this one, tells nothing of it but what became of restarts. */
function ownSample({ previous, runId }: ObservedAgent, startedAt: number): AgentSample | null {
  if (previous === null || previous.runId !== runId) return previous
  return Date.parse(previous.at) >= startedAt ? previous : { ...previous, runId: '' }
}

/** A supervisor that begins anew must not take a screen that stands still for a fresh one. */
function earlierOutput(screen: ScreenText, previous: AgentSample | null, runId: string): number | null {
  if (previous?.runId !== runId) return null
  const lines = screen.lines.filter((line) => line.trim() !== '')
  const known = previous.screen.filter((line) => line.trim() !== '')
  const isSame = lines.length === known.length && lines.every((line, index) => line === known[index])
  return isSame && previous.lastActivityAt !== null ? Date.parse(previous.lastActivityAt) : null
}

/** Until the files could be read, what the last look of this run knew still holds. */
function olderUsage(previous: AgentSample | null, runId: string): UsageFacts {
  if (previous?.runId !== runId) return {}
  const { contextTokens, model, sessionId, costUsd, limits } = previous
  return {
    ...(contextTokens === null ? {} : { tokens: contextTokens }),
    ...(model === null ? {} : { model }),
    ...(sessionId === null ? {} : { sessionId }),
    ...(costUsd === null ? {} : { costUsd }),
    ...(limits.length === 0 ? {} : { limits }),
  }
}

function windowOf({ env = {}, model = null }: ObservedAgent, usage: UsageFacts): number | null {
  return contextWindow(usage.model ?? model, {
    told: usage.window ?? null,
    override: env.ICEBOX_CONTEXT_WINDOW,
    asked: model,
    betas: env.ANTHROPIC_BETAS,
    seen: usage.tokens ?? null,
  })
}
