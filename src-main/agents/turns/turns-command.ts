import { fillTemplate } from '../custom-command.ts'
import type { AgentDefinition } from '../definitions.ts'
import { manifestError } from '../problems.ts'
import { PROVIDERS, type ProviderCall } from '../providers.ts'
import { PROMPT_MARK, SESSION_MARK, TURNS_SCRIPT } from './turns-script.ts'

/** Where things lie below HOME. */
export const TURNS_PROGRAM = '.icebox/turns.sh'
export const INBOX = '.icebox/inbox'
const MISSIONS = '.icebox/turns'

export interface TurnsInput {
  readonly agent: AgentDefinition
  /** A prompt of the call; it comes before the definition's startup commands. */
  readonly prompt: string | null
  /** The conversation to go on with (null: the newest), or the id of the new one (null: the provider makes it). */
  readonly session: { readonly sessionId: string | null; readonly isResuming: boolean }
  readonly skipPermissions: boolean
  /** Further arguments for the provider's program. */
  readonly args: readonly string[]
  /** The working folder as a custom agent's command may name it. */
  readonly workdir: string
}

export interface TurnsCommand {
  readonly argv: readonly string[]
  /** Path below HOME → text. */
  readonly homeFiles: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly notices: readonly string[]
}

/**
 * The command line and files of a run that takes one headless turn after the other. No text of a person is part of a
 * shell string: prompts travel in files, arguments as arguments. Pure.
 * @throws BottleError `manifest-invalid` for a custom agent without a headless command that takes a prompt
 */
export function turnsCommand(input: TurnsInput): TurnsCommand {
  const { agent, prompt } = input
  const { autonomous, startup } = agent.lifecycle
  const lines = agent.provider === 'custom' ? customLines(input) : providerLines(input, agent.provider)
  // By name, so that a later start in the same home need not take the prompt of an earlier one away.
  const missions: readonly (readonly [string, string])[] = [
    ...(prompt === null ? [] : [['prompt', prompt] as const]),
    ...startup.commands.map(({ text }, index) => [`command-${index + 1}`, text] as const),
  ]
  const notices = [
    ...(autonomous.enabled && missions.length === 0
      ? ['Nothing tells the agent what to do on its own: give it a prompt or a startup command.']
      : []),
    ...(agent.provider === 'custom' && lines[1]?.length === 0 && lines[2]?.length === 0
      ? ['The agent has no `resume` command, so each turn is a conversation of its own.']
      : []),
  ]
  return {
    argv: [
      // Constant but for arguments: only the shell inside knows HOME.
      ...['/bin/sh', '-c', `. "$HOME/${TURNS_PROGRAM}"`, 'icebox-turns'],
      agent.provider,
      autonomous.enabled ? 'drive' : 'serve',
      endMark(agent),
      String(autonomous.maxTurns),
      String(Math.max(1, Math.round(autonomous.idleKickSeconds))),
      missions.map(([name]) => name).join(' '),
      ...lines.flatMap((words) => [String(words.length), ...words]),
    ],
    homeFiles: {
      [TURNS_PROGRAM]: TURNS_SCRIPT,
      [`${MISSIONS}/kick`]: `${autonomous.kickText}\n`,
      ...Object.fromEntries(missions.map(([name, text]) => [`${MISSIONS}/${name}`, `${text}\n`])),
    },
    env: agent.provider === 'custom' ? {} : PROVIDERS[agent.provider].env(input),
    notices,
  }
}

/** The text that ends a drive, as it stands in what the provider prints. */
function endMark({ provider, lifecycle }: AgentDefinition): string {
  const text = lifecycle.autonomous.driveUntil
  return provider === 'custom' ? text : JSON.stringify(text).slice(1, -1)
}

/** What makes each provider print events, a line of JSON each. */
const EVENT_ARGS = {
  claude: ['--output-format', 'stream-json', '--verbose'],
  codex: ['--json'],
  pi: ['--mode', 'json'],
} as const

function providerLines(
  { agent, session, skipPermissions, args }: TurnsInput,
  provider: keyof typeof EVENT_ARGS,
): readonly (readonly string[])[] {
  const call: ProviderCall = {
    mode: 'headless',
    prompt: PROMPT_MARK,
    sessionId: session.sessionId,
    isResuming: session.isResuming,
    skipPermissions,
    args: [...args, ...EVENT_ARGS[provider]],
  }
  const line = (more: Partial<ProviderCall>) => PROVIDERS[provider].argv(agent, { ...call, ...more })
  return [
    line({}),
    line({ isResuming: true, sessionId: SESSION_MARK }),
    line({ isResuming: true, sessionId: null }),
  ]
}

function customLines({ agent, session, workdir }: TurnsInput): readonly (readonly string[])[] {
  const { headless = null, resume = null } = agent.command ?? {}
  if (headless === null || !headless.some((word) => word.includes('{prompt}'))) {
    throw manifestError([
      {
        file: agent.file,
        line: agent.lines.command,
        message: `agent '${agent.name}' takes one turn after the other, which needs a \`headless\` command with {prompt}.`,
        hint: 'Add `headless` under `command`, for example [my-agent, --print, "{prompt}"].',
      },
    ])
  }
  const fill = (words: readonly string[], sessionId: string | null) =>
    fillTemplate(words, { prompt: PROMPT_MARK, session: sessionId, workdir })
  const takesPrompt = resume?.some((word) => word.includes('{prompt}')) === true
  const needsId = resume?.some((word) => word.includes('{session}')) === true
  const goesOn = resume !== null && takesPrompt && !needsId ? fill(resume, null) : []
  const byId = resume !== null && takesPrompt && needsId ? resume : null
  const canResume = session.isResuming && (goesOn.length > 0 || (byId !== null && session.sessionId !== null))
  const begins =
    canResume && byId !== null
      ? fill(byId, session.sessionId)
      : canResume
        ? goesOn
        : fill(headless, session.sessionId)
  // A custom program tells no id, so the one it was resumed with is all there is.
  const next =
    byId !== null && session.isResuming && session.sessionId !== null ? fill(byId, session.sessionId) : goesOn
  return [begins, [], next]
}
