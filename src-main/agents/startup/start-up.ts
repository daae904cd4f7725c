import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAccess } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import { toBottleError } from '../../system/bottle-error.ts'
import type { ProviderName } from '../definitions.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { redactLines } from '../redact.ts'
import { toStrokes } from './answers.ts'
import { beginStartup, nextStartupStep, type StartupMemory, type StartupStep } from './next-step.ts'
import { questionOf } from './screen-signs.ts'
import type { StartupProgress } from './startup-state.ts'

export { asStartupState, NEW_STARTUP, type StartupProgress, type StartupState } from './startup-state.ts'

/** A terminal agent that has just been started, or whose startup another process began. */
export interface StartupAgent {
  readonly ref: RuntimeRef
  readonly access: AgentAccess
  readonly provider: ProviderName
  readonly lifecycle: Lifecycle
  /** Absolute path of `state/<slug>/logs`. */
  readonly logsDir: string
  /** Values that no file may show; asked for whenever something is told. */
  secrets(): Promise<readonly string[]>
  /** A sentence for the bottle's journal. */
  tell(text: string): void
}

export interface StartupOutcome {
  readonly kind: 'done' | 'failed'
  /** Why it failed, or what went otherwise than planned; null when all went well. */
  readonly reason: string | null
}

/**
 * Answers the questions that the program asks while it starts, waits until it is ready, and types the startup
 * commands. Each change is saved before the next step, so that another process can go on where this one ended: nothing is
 * typed twice and nothing is forgotten. A question that no rule answers holds it up until a person has answered.
 * @throws BottleError when the terminal can't be reached
 */
export async function startUp(
  agent: StartupAgent,
  done: StartupProgress,
  signal: AbortSignal,
): Promise<StartupOutcome> {
  const { ref, access, provider, lifecycle } = agent
  if (done.state.isDone || lifecycle.runtime === 'turns') return { kind: 'done', reason: null }
  let memory = beginStartup(done.state, Date.now())
  let told: string | null = null
  let late: string | null = null
  for (;;) {
    signal.throwIfAborted()
    const screen = await access.screen(ref, signal)
    if (!screen) return { kind: 'failed', reason: 'the agent ended while it started' }
    const next = nextStartupStep(memory, provider, lifecycle.startup, screen.lines, Date.now())
    const { step } = next
    // An answer counts as given once its keys are typed: the question on the screen tells whether they were.
    if (step.kind !== 'answer') await keep(memory, next.memory, done)
    if (step.kind === 'done') return { kind: 'done', reason: late }
    if (step.kind === 'fail') {
      const question = questionOf(screen.lines)
      const asks = question !== null && step.reason.includes(question)
      const reason = asks ? `it asks: ${await shownQuestion(agent, screen.lines)}` : step.reason
      agent.tell(`The agent did not start as planned: ${reason}.`)
      return { kind: 'failed', reason }
    }
    if (step.kind === 'capture') {
      const file = await writeBootCapture(agent, screen.lines)
      late = `not ready within ${lifecycle.startup.readyTimeoutSeconds} s`
      agent.tell(`The agent was ${late}; its screen is kept in ${file}.`)
    }
    if (step.kind === 'blocked' && told !== step.question) {
      told = step.question
      agent.tell(`The agent waits for an answer: ${await shownQuestion(agent, screen.lines)}`)
    }
    await perform(agent, step, signal)
    if (step.kind === 'answer') {
      await keep(memory, next.memory, done)
      agent.tell(`Answered a question of its start: ${step.answer.name}.`)
    }
    memory = next.memory
  }
}

/** The question without secrets, which are taken out of the screen before the question is found and cut. */
async function shownQuestion(agent: StartupAgent, lines: readonly string[]): Promise<string> {
  return questionOf(redactLines(lines, await agent.secrets())) ?? 'a question that holds a secret'
}

async function keep(before: StartupMemory, after: StartupMemory, done: StartupProgress): Promise<void> {
  if (after.state !== before.state) await done.save(after.state)
}

async function perform(agent: StartupAgent, step: StartupStep, signal: AbortSignal): Promise<void> {
  const { ref, access, lifecycle } = agent
  const poll = lifecycle.startup.readyPollSeconds * 1000
  switch (step.kind) {
    case 'answer':
      await access.type(ref, toStrokes(step.answer.keys), signal)
      await delay(poll, undefined, { signal })
      break
    case 'type':
      await access.type(ref, [{ text: step.text }, { key: 'Enter' }], signal)
      await delay(Math.min(poll, 300), undefined, { signal })
      break
    case 'press-enter':
      await access.type(ref, [{ key: 'Enter' }], signal)
      await delay(Math.min(poll, 300), undefined, { signal })
      break
    case 'wait':
      if (step.ms > 0) await delay(step.ms, undefined, { signal })
      break
    case 'blocked':
      await nextOutput(agent, signal)
      await delay(poll, undefined, { signal })
      break
    case 'capture':
    case 'done':
    case 'fail':
      break
  }
}

/** Waits until the screen may have changed, without a look meanwhile. */
async function nextOutput({ ref, access }: StartupAgent, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  try {
    for await (const _at of access.output(ref, AbortSignal.any([signal, stop.signal]))) return
    // The run ended; the next look tells so.
  } finally {
    stop.abort()
  }
}

/** Keeps the screen of an agent that was not ready in time, secrets taken out. Resolves with the file's name. */
async function writeBootCapture(agent: StartupAgent, lines: readonly string[]): Promise<string> {
  const name = `boot-capture-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.txt`
  const text = `${redactLines(lines, await agent.secrets()).join('\n')}\n`
  try {
    await mkdir(agent.logsDir, { recursive: true, mode: 0o700 })
    await writeFile(join(agent.logsDir, name), text, { mode: 0o600 })
  } catch (thrown) {
    throw toBottleError(thrown, agent.ref.slug)
  }
  return `logs/${name}`
}
