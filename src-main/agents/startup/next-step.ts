import type { ProviderName } from '../definitions.ts'
import type { Lifecycle, StartupAnswer } from '../lifecycle.ts'
import { answersFor, findAnswer, matches } from './answers.ts'
import { hasInputMark, inputOf, isOnScreen, isUnsent, questionOf, tailOf } from './screen-signs.ts'
import type { StartupState } from './startup-state.ts'

/** How often an Enter is pressed again that the program lost. */
const ENTER_TRIES = 5
/** Least milliseconds between two looks at what became of a typed text. */
const SETTLE_MS = 300
const RETYPES = 2
/** Looks after typing, for a program that shows nothing of what is typed. */
const BLIND_LOOKS = 10

/** What one startup works with: what was kept, and what only this process has seen. */
export interface StartupMemory {
  readonly state: StartupState
  /** Milliseconds since 1970 of the first look. */
  readonly since: number
  /** The screen of the last look, and how many looks in a row showed it. */
  readonly text: string | null
  readonly same: number
  /** When the agent was ready, or the command before was sent. */
  readonly idleSince: number | null
  /** Looks since the present command was typed; null while its fate is unknown (after a restart of the supervisor). */
  readonly looks: number | null
  readonly enters: number
  /** How often the present command was typed once more, since nothing of it was ever seen. */
  readonly retypes: number
}

export type StartupStep =
  | { readonly kind: 'wait'; readonly ms: number }
  /** Nothing but a person can go on; look again when the screen changes. */
  | { readonly kind: 'blocked'; readonly question: string }
  | { readonly kind: 'answer'; readonly answer: StartupAnswer }
  /** It took too long: the screen is kept for a person. */
  | { readonly kind: 'capture' }
  | { readonly kind: 'type'; readonly text: string }
  | { readonly kind: 'press-enter' }
  | { readonly kind: 'done' }
  | { readonly kind: 'fail'; readonly reason: string }

export interface NextStep {
  readonly memory: StartupMemory
  readonly step: StartupStep
}

/** The memory at the first look. Pure. */
export function beginStartup(state: StartupState, now: number): StartupMemory {
  return { state, since: now, text: null, same: 0, idleSince: null, looks: null, enters: 0, retypes: 0 }
}

/**
 * What to do after a look at the screen. Nothing is ever typed onto a question: one that no rule answers waits for a
 * person. Pure.
 */
export function nextStartupStep(
  before: StartupMemory,
  provider: ProviderName,
  startup: Lifecycle['startup'],
  lines: readonly string[],
  now: number,
): NextStep {
  const memory = looked(before, lines)
  const { state } = memory
  if (state.isDone) return { memory, step: { kind: 'done' } }
  const wait: StartupStep = { kind: 'wait', ms: startup.readyPollSeconds * 1000 }
  if (state.isTyping) {
    const settle: StartupStep = { kind: 'wait', ms: Math.max(SETTLE_MS, startup.readyPollSeconds * 1000) }
    return afterTyping(memory, provider, startup, lines, now, settle)
  }
  const answer = state.isReady
    ? null
    : findAnswer(answersFor(provider, startup), tailOf(lines), state.answered)
  if (answer) {
    const answered = [...state.answered, answer.name]
    return { memory: { ...memory, state: { ...state, answered }, same: 0 }, step: { kind: 'answer', answer } }
  }
  const question = questionOf(lines)
  if (!state.isReady) {
    if (question === null && isReady(memory, provider, startup, lines)) return ready(memory, now)
    return notReady(memory, startup, question, now, wait)
  }
  if (question !== null) return { memory, step: { kind: 'blocked', question } }
  return nextCommand(memory, startup, now)
}

function looked(before: StartupMemory, lines: readonly string[]): StartupMemory {
  const text = lines.join('\n')
  return { ...before, text, same: text === before.text ? before.same + 1 : 1 }
}

function isReady(
  memory: StartupMemory,
  provider: ProviderName,
  { readyPatterns, readyIdleTicks }: Lifecycle['startup'],
  lines: readonly string[],
): boolean {
  const tail = tailOf(lines).join('\n')
  if (tail === '' || memory.same < Math.max(1, readyIdleTicks)) return false
  if (readyPatterns.length > 0) return readyPatterns.every((pattern) => matches(pattern, tail))
  return !hasInputMark(provider) || inputOf(lines) !== null
}

function ready(memory: StartupMemory, now: number): NextStep {
  return {
    memory: { ...memory, state: { ...memory.state, isReady: true }, idleSince: now },
    step: { kind: 'wait', ms: 0 },
  }
}

function notReady(
  memory: StartupMemory,
  startup: Lifecycle['startup'],
  question: string | null,
  now: number,
  wait: StartupStep,
): NextStep {
  const { state } = memory
  const isOver = now - memory.since >= startup.readyTimeoutSeconds * 1000
  if (!isOver && !state.isLate) return { memory, step: wait }
  if (!state.isLate)
    return { memory: { ...memory, state: { ...state, isLate: true } }, step: { kind: 'capture' } }
  if (startup.onTimeout === 'capture_and_fail') {
    const reason = question === null ? 'it was not ready in time' : `it asks: ${question}`
    return { memory: { ...memory, state: { ...state, isDone: true } }, step: { kind: 'fail', reason } }
  }
  if (question !== null) return { memory, step: { kind: 'blocked', question } }
  return ready(memory, now)
}

function nextCommand(memory: StartupMemory, startup: Lifecycle['startup'], now: number): NextStep {
  const { state } = memory
  const command = startup.commands[state.sent]
  if (!command) return { memory: { ...memory, state: { ...state, isDone: true } }, step: { kind: 'done' } }
  const idleSince = memory.idleSince ?? now
  const left = idleSince + command.delaySeconds * 1000 - now
  if (left > 0) return { memory: { ...memory, idleSince }, step: { kind: 'wait', ms: left } }
  return {
    memory: { ...memory, idleSince, state: { ...state, isTyping: true }, looks: 0, enters: 0, retypes: 0 },
    step: { kind: 'type', text: command.text },
  }
}

/** A command was typed: its Enter may be lost while the program repaints, and after a restart nobody knows whether it went out. */
function afterTyping(
  memory: StartupMemory,
  provider: ProviderName,
  startup: Lifecycle['startup'],
  lines: readonly string[],
  now: number,
  wait: StartupStep,
): NextStep {
  const { state } = memory
  const text = startup.commands[state.sent]?.text ?? ''
  if (memory.looks === null && !isUnsent(lines, text) && !isOnScreen(lines, text)) {
    if (questionOf(lines) !== null)
      return { memory, step: { kind: 'blocked', question: questionOf(lines) ?? '' } }
    return { memory: { ...memory, looks: 0 }, step: { kind: 'type', text } }
  }
  const looks = (memory.looks ?? 0) + 1
  const next = { ...memory, looks }
  if (isUnsent(lines, text) && memory.enters < ENTER_TRIES) {
    // Twice in a row: an Enter that was only slow must not be followed by one that answers a question.
    if (memory.same < 2) return { memory: next, step: wait }
    return { memory: { ...next, enters: memory.enters + 1, same: 0 }, step: { kind: 'press-enter' } }
  }
  const isSeen = memory.enters > 0 || isOnScreen(lines, text)
  if (!isSeen && looks < BLIND_LOOKS) return { memory: next, step: wait }
  // These programs show all that is typed but for what clears the screen, so it was lost while they started.
  const isLost = !isSeen && hasInputMark(provider) && !text.startsWith('/') && questionOf(lines) === null
  if (isLost && memory.retypes < RETYPES) {
    return { memory: { ...next, looks: 0, retypes: memory.retypes + 1 }, step: { kind: 'type', text } }
  }
  return {
    memory: { ...next, idleSince: now, state: { ...state, isTyping: false, sent: state.sent + 1 } },
    step: { kind: 'wait', ms: 0 },
  }
}
