import type { AgentDefinition, ProviderName } from './definitions.ts'

/** What a provider's program is called with. */
export interface ProviderCall {
  readonly mode: 'headless' | 'interactive'
  readonly prompt: string | null
  /** Another conversation to go on with; null is the newest one when resuming. */
  readonly sessionId: string | null
  readonly isResuming: boolean
  /** No permission questions: the bottle is the boundary. */
  readonly skipPermissions: boolean
  readonly args: readonly string[]
}

interface Provider {
  readonly argv: (agent: AgentDefinition, call: ProviderCall) => readonly string[]
  /** Where skills go, relative to HOME. */
  readonly skillsDir: string
  /** Where the system prompt goes when it isn't an argument. */
  readonly promptFile: string | null
  readonly asksPermission: boolean
  /** Any one of these signs the agent in. */
  readonly signIn: readonly string[]
  readonly env: (call: Pick<ProviderCall, 'skipPermissions'>) => Readonly<Record<string, string>>
}

const NO_ENV = (): Readonly<Record<string, string>> => ({})

/**
 * The three agents that Icebox calls itself. A prompt always follows `--`, so that one that begins with `-`
 * is never an option. Flags as of the versions in images/provider-images.ts.
 */
export const PROVIDERS: Readonly<Record<Exclude<ProviderName, 'custom'>, Provider>> = {
  claude: {
    argv: (agent, call) => [
      'claude',
      ...(call.mode === 'headless' ? ['-p'] : []),
      ...(call.skipPermissions ? ['--dangerously-skip-permissions'] : []),
      ...model(agent),
      ...systemPrompt(agent),
      ...claudeSession(call),
      ...call.args,
      ...afterOptions(call.prompt),
    ],
    skillsDir: '.claude/skills',
    promptFile: null,
    asksPermission: true,
    signIn: ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_AUTH_TOKEN'],
    // Without it claude refuses to skip permissions when the image's user is root.
    env: (call) => (call.skipPermissions ? { IS_SANDBOX: '1' } : {}),
  },
  codex: {
    argv: (agent, call) => {
      const isHeadless = call.mode === 'headless'
      return [
        'codex',
        ...(isHeadless ? ['exec', '--skip-git-repo-check'] : []),
        ...(call.skipPermissions
          ? ['--dangerously-bypass-approvals-and-sandbox']
          : ['--sandbox', 'workspace-write']),
        ...model(agent),
        ...call.args,
        ...(call.isResuming ? ['resume', call.sessionId ?? '--last'] : []),
        // A lone `-` means standard input to codex.
        ...afterOptions(call.prompt === '-' ? '-\n' : call.prompt),
      ]
    },
    skillsDir: '.codex/skills',
    promptFile: '.codex/AGENTS.md',
    asksPermission: true,
    signIn: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
    env: NO_ENV,
  },
  pi: {
    argv: (agent, call) => [
      'pi',
      ...(call.mode === 'headless' ? ['-p'] : []),
      ...model(agent),
      ...systemPrompt(agent),
      ...piSession(call),
      ...call.args,
      // Even behind `--`, pi reads a word that begins with `@` as a file to load.
      ...afterOptions(call.prompt?.startsWith('@') ? ` ${call.prompt}` : call.prompt),
    ],
    skillsDir: '.pi/agent/skills',
    promptFile: null,
    asksPermission: false,
    signIn: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    env: NO_ENV,
  },
}

/** Where a custom agent finds its system prompt and its skills, relative to HOME. */
export const CUSTOM_PROMPT_FILE = '.icebox/system-prompt.md'
export const CUSTOM_SKILLS_DIR = '.agents/skills'

function model(agent: AgentDefinition): readonly string[] {
  // `inherit` is what agent files written for claude say for "as usual".
  return agent.model === null || agent.model === 'inherit' ? [] : ['--model', agent.model]
}

function systemPrompt(agent: AgentDefinition): readonly string[] {
  return agent.systemPrompt === '' ? [] : ['--append-system-prompt', agent.systemPrompt]
}

function claudeSession(call: ProviderCall): readonly string[] {
  if (!call.isResuming) return call.sessionId === null ? [] : ['--session-id', call.sessionId]
  return call.sessionId === null ? ['--continue'] : ['--resume', call.sessionId]
}

function piSession(call: ProviderCall): readonly string[] {
  if (!call.isResuming) return call.sessionId === null ? [] : ['--session-id', call.sessionId]
  return call.sessionId === null ? ['--continue'] : ['--session', call.sessionId]
}

function afterOptions(prompt: string | null): readonly string[] {
  return prompt === null ? [] : ['--', prompt]
}
