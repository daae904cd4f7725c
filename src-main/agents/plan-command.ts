import { join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { customCommand } from './custom-command.ts'
import type { PlanInput } from './plan-types.ts'
import { PROVIDERS } from './providers.ts'
import { requireSessionId, type SessionPlan } from './sessions/plan-session.ts'
import { withBroughtSession, withVenv } from './start-wrappers.ts'
import { turnsCommand } from './turns/turns-command.ts'

/** Bytes of one argument: Linux ends it at 128 KiB. */
const ARGUMENT_MAX = 120_000
/** Where the shipped images work. */
const DEFAULT_WORKDIR = '/workspace'

export interface PlannedCommand {
  readonly argv: readonly string[] | null
  readonly prompt: string | null
  /** What the provider's program needs beside the bottle's own environment. */
  readonly env: Readonly<Record<string, string>>
  readonly notices: readonly string[]
  /** Path below HOME → text, beside the agent's own. */
  readonly homeFiles?: Readonly<Record<string, string>>
}

/**
 * The agent's program and arguments.
 * @throws BottleError `usage` for a prompt or session that can't be passed, `manifest-invalid` for a missing list.
 */
export function planCommand(input: PlanInput, isProviderImage: boolean): PlannedCommand {
  const { agent } = input.resolved
  const command = providerCommand(input, isProviderImage)
  if (command.argv === null) return command
  const { sessionId, isResuming } = sessionOf(input)
  const brought =
    isResuming && input.bringsSession === true
      ? withBroughtSession(command.argv, agent.provider, sessionId)
      : command.argv
  const argv = requireArguments(withVenv(brought, agent.lifecycle.pythonVenv))
  return { ...command, argv, notices: [...command.notices, ...(input.session?.notices ?? [])] }
}

/** What the plan says of the conversation; a call of the program outside of any bottle may leave it out. */
function sessionOf(input: PlanInput): Pick<SessionPlan, 'sessionId' | 'isResuming'> {
  if (input.session) return input.session
  return { sessionId: input.sessionId ?? null, isResuming: input.resuming && input.freshSession !== true }
}

function providerCommand(input: PlanInput, isProviderImage: boolean): PlannedCommand {
  const { agent, bottle } = input.resolved
  const prompt = requirePrompt(input)
  const session = sessionOf(input)
  if (input.runtime === 'turns') return turnByTurn(input, isProviderImage, prompt)
  const sessionId = session.sessionId === null ? null : requireSessionId(session.sessionId)
  const { isResuming } = session
  if (agent.provider === 'custom') {
    const values = { prompt, session: sessionId, workdir: workdirOf(input, isProviderImage) }
    const { argv, takesPrompt, notices } = customCommand(agent, input.mode, isResuming, values)
    if (input.mode === 'headless' && prompt === null && takesPrompt) throw promptMissing()
    return { argv, prompt, env: {}, notices: [...notices, ...unusedArgs(input)] }
  }
  if (input.mode === 'headless' && prompt === null) throw promptMissing()
  const settings = bottle.provider
  const skipPermissions = skipsPermissions(input)
  const provider = PROVIDERS[agent.provider]
  const call = {
    mode: input.mode,
    prompt,
    sessionId,
    isResuming,
    skipPermissions,
    args: [...(settings?.args ?? []), ...agent.lifecycle.args],
  }
  return {
    argv: provider.argv(agent, call),
    prompt,
    env: provider.env(call),
    notices: skipPermissions && provider.asksPermission ? [skipNotice(agent.provider, input.backend)] : [],
  }
}

function skipNotice(provider: string, backend: string): string {
  const silent = `${provider} asks no permission questions in this bottle`
  return backend === 'host'
    ? `${silent}, since its manifest says so: on a machine without isolation nothing else holds it back.`
    : `${silent}: the bottle is its boundary.`
}

function promptMissing(): Error {
  return bottleError('usage', 'A headless agent needs a prompt. Give one with --prompt.')
}

/** The prompt, checked; a blank one counts as none where a person sits in front. */
function requirePrompt({ prompt, mode }: PlanInput): string | null {
  if (prompt === null) return null
  if (prompt.trim() === '') {
    if (mode === 'interactive') return null
    throw bottleError('usage', 'The prompt is empty.')
  }
  if (prompt.includes('\0'))
    throw bottleError('usage', 'The prompt holds a NUL character, which no program can take.')
  const bytes = Buffer.byteLength(prompt)
  if (bytes > ARGUMENT_MAX) {
    throw bottleError(
      'usage',
      `The prompt is ${Math.ceil(bytes / 1000)} kB; at most ${ARGUMENT_MAX / 1000} kB can be passed. ` +
        'Put the text into a file of the workspace and name that file in the prompt.',
    )
  }
  return prompt
}

/** A program of ours calls the provider, once per turn. */
function turnByTurn(input: PlanInput, isProviderImage: boolean, prompt: string | null): PlannedCommand {
  const { agent, bottle } = input.resolved
  const asks = agent.provider !== 'custom' && PROVIDERS[agent.provider].asksPermission
  const skipPermissions = agent.provider !== 'custom' && skipsPermissions(input)
  const command = turnsCommand({
    agent,
    prompt,
    session: sessionOf(input),
    skipPermissions,
    args: [...(bottle.provider?.args ?? []), ...agent.lifecycle.args],
    workdir: workdirOf(input, isProviderImage),
  })
  const notices = skipPermissions && asks ? [skipNotice(agent.provider, input.backend)] : []
  return { ...command, prompt, notices: [...notices, ...command.notices, ...unusedArgs(input)] }
}

/** Whether the provider is told to ask no permission questions. Pure. */
export function skipsPermissions({ resolved: { bottle }, backend }: PlanInput): boolean {
  const { permissions = null } = bottle.provider ?? {}
  return permissions === null ? backend !== 'host' : permissions === 'skip'
}

/** A custom agent's whole command is its own. */
function unusedArgs({ resolved: { agent } }: PlanInput): readonly string[] {
  if (agent.provider !== 'custom' || agent.lifecycle.args.length === 0) return []
  return ['The agent brings its own command, so the further arguments of its definition are not used.']
}

function requireArguments(argv: readonly string[]): readonly string[] {
  if (argv.some((argument) => Buffer.byteLength(argument) > ARGUMENT_MAX)) {
    throw bottleError(
      'usage',
      `An argument of the agent would be longer than ${ARGUMENT_MAX / 1000} kB. Shorten the prompt or the command.`,
    )
  }
  return argv
}

/** The working folder as the agent sees it; `.` where only the launch can tell. */
function workdirOf(input: PlanInput, isProviderImage: boolean): string {
  if (input.backend === 'host') {
    return input.stateDirHint === undefined ? '.' : join(input.stateDirHint, 'live', 'workspace')
  }
  return input.resolved.bottle.workdir ?? (isProviderImage ? DEFAULT_WORKDIR : '.')
}
