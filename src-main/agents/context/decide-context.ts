import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { isIdle } from '../observe/idle.ts'

/** What was done about a full context and when to try again; plain JSON, kept in supervision.json. */
export interface ContextLatch {
  /** True from the first act until the percent falls well below the trigger. */
  readonly isSet: boolean
  /** Acts since it was set. */
  readonly tries: number
  /** Milliseconds since 1970 before which nothing is tried again. */
  readonly nextTryAt: number | null
  /** Warnings since the percent was last well below. */
  readonly warnings: number
  readonly warnedAt: number | null
}

export const NO_LATCH: ContextLatch = { isSet: false, tries: 0, nextTryAt: null, warnings: 0, warnedAt: null }

/** A latch as it was kept, whatever a file says; what is damaged is a fresh one. Pure. */
export function asContextLatch(kept: unknown): ContextLatch {
  if (typeof kept !== 'object' || kept === null) return NO_LATCH
  const { isSet, tries, nextTryAt, warnings, warnedAt } = kept as Partial<Record<keyof ContextLatch, unknown>>
  const count = (value: unknown) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : 0)
  const time = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null)
  return {
    isSet: isSet === true,
    tries: count(tries),
    nextTryAt: time(nextTryAt),
    warnings: count(warnings),
    warnedAt: time(warnedAt),
  }
}

export type ContextAct = 'none' | 'warn' | 'compact' | 'freeze' | 'restart'

export interface ContextDecision {
  readonly latch: ContextLatch
  readonly act: ContextAct
  /** The sentence for a person; null when nothing is to be told. */
  readonly say: string | null
}

/** Points below the trigger at which the latch opens again, and in which warnings are told. */
const BAND = 10
const FIRST_WAIT = 5 * 60_000
const LONGEST_WAIT = 60 * 60_000

/**
 * What to do about the context now. Acts that interrupt wait until the agent is idle; one that did not help is tried
 * again, after longer and longer waits. Pure, and the same however often it is asked.
 */
export function decideContext(
  options: Lifecycle['context'],
  sample: AgentSample,
  latch: ContextLatch,
  now: number,
): ContextDecision {
  const percent = sample.contextPercent
  if (options.strategy === 'noop' || percent === null || sample.state === 'exited') return none(latch)
  const { triggerPercent: trigger } = options
  if (percent < trigger - BAND) return none(isOpen(latch) ? latch : NO_LATCH)
  if (percent < trigger) return beforeTrigger(options, percent, latch, now)
  if (latch.isSet && (latch.nextTryAt === null || now < latch.nextTryAt)) return none(latch)
  return act(options, sample, percent, latch, now)
}

function beforeTrigger(
  options: Lifecycle['context'],
  percent: number,
  latch: ContextLatch,
  now: number,
): ContextDecision {
  const isDue = latch.warnedAt === null || now - latch.warnedAt >= options.checkIntervalSeconds * 1000
  if (latch.isSet || latch.warnings >= options.warnBeforeChecks || !isDue) return none(latch)
  return {
    latch: { ...latch, warnings: latch.warnings + 1, warnedAt: now },
    act: 'warn',
    say: `Its context is ${percent} % full; at ${options.triggerPercent} % ${FORECAST[options.strategy]}.`,
  }
}

function act(
  options: Lifecycle['context'],
  sample: AgentSample,
  percent: number,
  latch: ContextLatch,
  now: number,
): ContextDecision {
  const { strategy } = options
  if (strategy === 'noop') return none(latch)
  // Both would break off work, or answer a question that is a person's to answer.
  if ((strategy === 'compact' || strategy === 'restart') && !isIdle(sample)) return none(latch)
  const tries = latch.tries + 1
  // A warning or a snapshot is done when it is done; the others are only when the percent falls.
  const isRetried = strategy === 'compact' || strategy === 'restart'
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
  const again = tries > 1 ? ` (try ${tries})` : ''
  return {
    latch: { ...latch, isSet: true, tries, nextTryAt: isRetried ? now + wait : null },
    act: strategy,
    say: `Its context is ${percent} % full${again}: ${DEED[strategy]}.`,
  }
}

const FORECAST: Readonly<Record<Lifecycle['context']['strategy'], string>> = {
  noop: 'nothing is done',
  warn: 'it is told once more',
  compact: 'it is compacted',
  freeze: 'it is frozen',
  restart: 'it is restarted',
}

const DEED: Readonly<Record<Exclude<Lifecycle['context']['strategy'], 'noop'>, string>> = {
  warn: 'compact it, or begin a new conversation',
  compact: 'it is compacted now',
  freeze: 'a snapshot is taken',
  restart: 'it is restarted now',
}

function isOpen(latch: ContextLatch): boolean {
  return !latch.isSet && latch.warnings === 0
}

function none(latch: ContextLatch): ContextDecision {
  return { latch, act: 'none', say: null }
}
