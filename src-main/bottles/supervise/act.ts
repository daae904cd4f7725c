import type { AgentSample, HookPoint } from '../../../src-preload/contract/agents.ts'
import type { Json } from '../../agents/definitions.ts'
import { isIdle } from '../../agents/observe/idle.ts'
import type { ObservedAgent, Observer } from '../../agents/observe/types.ts'
import { redactText } from '../../agents/redact.ts'
import type { AgentAccess } from '../../backends/agent-access.ts'
import { writeSample } from '../../state/agent-sample.ts'
import { appendJournal } from '../../state/journal.ts'
import { readMetadata } from '../../state/metadata.ts'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { neverStopping } from '../confirm-stop.ts'
import { lookForSecrets, runBottleHooks } from '../hooks/bottle-hooks.ts'
import type { OperationContext } from '../services.ts'
import { bareSample, restartFacts } from './bare-sample.ts'
import { endOf, isLaunch, isStill, type Launch, readNewestRun } from './current-launch.ts'
import type { Action, AgentEvent } from './decide.ts'
import { isCutOff } from './decide-restarts.ts'
import { rememberValues } from './known-values.ts'
import { type PlannedRestart, restartByRule } from './restart-by-rule.ts'
import type { AgentState, FreezeRule } from './supervision.ts'
import type { Session } from './supervisor-deps.ts'

export interface ActingAgent {
  readonly session: Session
  readonly launch: Launch
  readonly signal: AbortSignal
  readonly state: () => AgentState
  readonly dispatch: (event: AgentEvent) => void
  /** Keeps the state now, before whatever else is queued. */
  readonly save: () => Promise<void>
  readonly saveStartup: (progress: unknown) => Promise<void>
}

/**
 * Carries out what was decided for one agent. What comes of it goes back as an event; false when what was to follow in
 * the same list must not be done.
 */
export function createActions(agent: ActingAgent): (action: Action) => Promise<boolean> {
  const { session, launch, signal, dispatch } = agent
  const { parts, root, clock } = session
  const { slug, launched } = launch
  const access = launch.access && fenced(session, launch, launch.access)
  let observer: Promise<Observer> | undefined
  let seen: ObservedAgent | undefined

  const observe = (on: AgentAccess): { readonly agent: ObservedAgent; readonly by: Promise<Observer> } => {
    seen ??= {
      slug,
      runId: launch.runId,
      ref: launch.ref,
      access: on,
      provider: launched.provider,
      lifecycle: launched.lifecycle,
      startedAt: launch.startedAt,
      begunWith: launch.begunWith,
      previous: agent.state().sample,
      now: () => clock.now(),
      model: launched.model,
      env: launched.env,
      secrets,
      outputAt: () => agent.state().lastOutputAt,
    }
    observer ??= parts.createObserver(seen)
    return { agent: seen, by: observer }
  }

  const secrets = rememberValues(
    async () => {
      const read = await readMetadata(root, slug)
      if (read.kind !== 'ok') return { values: [], isWhole: false }
      return lookForSecrets(session.services, read.metadata, launched.lifecycle)
    },
    () => clock.now(),
  )

  const tell = async (text: string, isFailure: boolean): Promise<void> =>
    appendJournal(root, slug, {
      op: 'supervise',
      outcome: isFailure ? 'failed' : 'notice',
      message: redactText(text, await secrets()),
    })

  const context = (own = signal): OperationContext => ({
    signal: own,
    progress: () => undefined,
    notice: () => undefined,
    confirm: async () => false,
  })

  const runHooks = async (point: HookPoint, facts: Readonly<Record<string, Json>>): Promise<void> => {
    if (launched.lifecycle.hooks[point].length === 0) return
    const read = await readMetadata(root, slug)
    if (read.kind !== 'ok') return
    try {
      await runBottleHooks(session.services, read.metadata, { point, context: facts }, context())
    } catch (thrown) {
      if (!signal.aborted) await tell(`A hook of ${point} failed: ${toFailure(thrown).message}`, true)
    }
    faultPoint('supervise:after-hook')
  }

  const look = async (reason: 'tick' | 'output' | 'exit'): Promise<void> => {
    const before = agent.state().sample
    const lookedAt = clock.now()
    const sample = access
      ? await (await observe(access).by).look(reason, signal, agent.state().end?.code ?? null)
      : bareSample(slug, launch, before, lookedAt)
    const after = withFacts(sample)
    const isThere = await isStill(root, launch, agent.state().isRunning)
    // A sample is a look at a bottle that is there: a destroyed one must not get its folder back.
    const changed = before && isThere ? await parts.recordDiff(root, before, after) : []
    if (isThere && (!before || !isAlike(before, after))) await writeSample(root, after)
    dispatch({ kind: 'sample', sample: after, lookedAt, changed })
  }

  const withFacts = (sample: AgentSample): AgentSample => ({
    ...sample,
    restarts: restartFacts(agent.state(), launched.lifecycle.restart, clock.now()),
  })

  /** True when it was done, or when this engine can't do it at all, which was told. */
  const freeze = async (rule: FreezeRule, note: string): Promise<boolean> => {
    if (!(await isStill(root, launch, rule !== 'exit'))) return false
    try {
      await session.bottles.freeze({ slug, note, reason: 'rule' }, neverStopping(slug, context()))
      faultPoint('supervise:after-freeze')
      dispatch({ kind: 'frozen', rule, note, outcome: 'done', message: '' })
      return true
    } catch (thrown) {
      if (signal.aborted) return false
      const { code, message } = toFailure(thrown, slug)
      // What is gone or was put away by somebody needs no freeze any more.
      const outcome = code === 'not-found' ? 'done' : code === 'unsupported' ? 'unsupported' : 'failed'
      dispatch({ kind: 'frozen', rule, note, outcome, message })
      return outcome !== 'failed'
    }
  }

  const startUp = async (on: AgentAccess): Promise<void> => {
    const starting = {
      ref: launch.ref,
      access: on,
      provider: launched.provider,
      lifecycle: launched.lifecycle,
      logsDir: root.path('state', slug, 'logs'),
      secrets,
      tell: (text: string) => void tell(text, false),
    }
    try {
      const { kind, reason } = await parts.startUp(
        starting,
        agent.state().startup.progress,
        agent.saveStartup,
        signal,
      )
      if (kind === 'failed') await tell(`Its startup was not completed: ${reason ?? 'no reason told'}.`, true)
      dispatch({ kind: 'startup', progress: agent.state().startup.progress, state: kind })
    } catch (thrown) {
      if (signal.aborted) return
      await tell(`Its startup was not completed: ${toFailure(thrown).message}`, true)
      dispatch({ kind: 'startup', progress: agent.state().startup.progress, state: 'failed' })
    }
  }

  const compact = async (on: AgentAccess): Promise<void> => {
    const { agent: observed, by } = observe(on)
    const { strategy } = launched.lifecycle.context
    const came = await parts.compact(observed, await by, signal).catch((thrown: unknown) => {
      if (signal.aborted) throw thrown
      return { ok: false, before: null, after: null, reason: toFailure(thrown).message }
    })
    const text = came.ok ? came.reason : `Its context was not compacted: ${came.reason}.`
    await tell(text.replace(/\.\.$/, '.'), !came.ok)
    await runHooks('on_compact', { percent: came.before, strategy, after: came.after, ok: came.ok })
    await look('output')
  }

  const decideContext = async (): Promise<void> => {
    const { sample, context: latch } = agent.state()
    if (!sample) return
    const choice = await parts.decideContext(launched.lifecycle.context, sample, latch, clock.now())
    dispatch({ kind: 'context', ...choice })
  }

  /** A freeze before it may have taken minutes, in which a person may have begun something, or a new conversation. */
  const isHeldBack = async (): Promise<boolean> => {
    await look('output').catch(session.warn)
    const { sample, isRunning } = agent.state()
    const isReady = isRunning && sample !== null && isIdle(sample)
    const isFull = (sample?.contextPercent ?? 0) >= launched.lifecycle.context.triggerPercent
    if (isReady && isFull) return false
    if (signal.aborted) return true
    const why = isReady ? 'its context is not full any more' : 'it is not idle any more'
    await tell(`Its restart waits, as ${why}.`, false)
    dispatch({ kind: 'restart-void' })
    return true
  }

  return async (action) => {
    switch (action.kind) {
      case 'freeze': {
        const isDone = await freeze(action.rule, action.note)
        if (isDone || action.rule !== 'before-context') return true
        if (agent.state().restarts.begun === 'context') dispatch({ kind: 'restart-void' })
        return false
      }
      case 'still-idle':
        return !(await isHeldBack())
      default:
        await perform(action)
        return true
    }
  }

  async function perform(action: Exclude<Action, { kind: 'freeze' | 'still-idle' }>): Promise<void> {
    switch (action.kind) {
      case 'look':
        return look(action.reason)
      case 'startup':
        // Beside everything else: a question that nobody answers may hold it up for days.
        if (access) void startUp(access)
        return
      case 'restart':
        return restart(action.why)
      case 'compact':
        if (access && (await isStill(root, launch, true))) await compact(access)
        return
      case 'context':
        return decideContext()
      case 'hook':
        return runHooks(action.point, action.context)
      case 'tell':
        return tell(action.text, action.isFailure)
      case 'facts': {
        const { sample, isRunning } = agent.state()
        if (!(await isStill(root, launch, isRunning))) return
        return writeSample(root, withFacts(sample ?? bareSample(slug, launch, null, clock.now())))
      }
    }
  }

  function planned(why: 'crash' | 'context'): PlannedRestart {
    const state = agent.state()
    return {
      why,
      cutAt: isCutOff(state) ? state.restarts.cutAt : null,
      async beforeStop() {
        if (!agent.state().isRunning) return
        dispatch({ kind: 'restart-stops' })
        await agent.save()
      },
    }
  }

  /** What it stopped itself is known before it is told that the next launch failed. */
  async function seeEnd(): Promise<void> {
    const found = await readNewestRun(root, slug).catch(() => null)
    const end = found && isLaunch(found.run, launch) ? endOf(found.run) : null
    if (end) dispatch({ kind: 'exited', end })
  }

  async function restart(why: 'crash' | 'context'): Promise<void> {
    // An end that came meanwhile has its own restart.
    if (agent.state().restarts.begun !== why) return
    try {
      if (why === 'context' && agent.state().isRunning && (await isHeldBack())) return
      // Not ended by its own success, which makes this launch a former one before all of it is done.
      const isDone = await restartByRule(session, launch, planned(why), context(session.signal))
      faultPoint('supervise:after-restart')
      if (!isDone) dispatch({ kind: 'restart-void' })
      session.recheck(slug)
    } catch (thrown) {
      if (signal.aborted) return
      await seeEnd()
      const { code, message } = toFailure(thrown, slug)
      const isFinal = code === 'not-found' || code === 'unsupported' || code === 'manifest-invalid'
      dispatch({ kind: 'restart-failed', message, isFinal })
    }
  }
}

/** Everything but the moment is the same. */
function isAlike(a: AgentSample, b: AgentSample): boolean {
  return JSON.stringify({ ...a, at: '' }) === JSON.stringify({ ...b, at: '' })
}

/** Types only while this process is the one that acts. */
function fenced(session: Session, launch: Launch, access: AgentAccess): AgentAccess {
  return {
    ...access,
    async type(ref, strokes, signal) {
      if (!(await session.lease.holds()) || !(await isStill(session.root, launch, true))) {
        throw bottleError('cancelled', 'Another process looks after this agent now.', { slug: launch.slug })
      }
      await access.type(ref, strokes, signal)
    },
  }
}
