import type { Stroke } from '../../backends/agent-access.ts'
import type { ProviderName } from '../definitions.ts'
import type { Lifecycle, StartupAnswer } from '../lifecycle.ts'

/** Questions that the providers' programs ask while they start, most important first. Texts as of their current versions. */
const BUILT_IN: Readonly<Record<ProviderName, readonly StartupAnswer[]>> = {
  claude: [
    {
      name: 'bypass-permissions',
      pattern: 'Bypass Permissions mode[^]*1\\. No, exit[^]*2\\. Yes, I accept',
      keys: ['2', 'Enter'],
    },
    {
      name: 'development-channels',
      pattern: 'development channels[^]*1\\. I am using this for local development',
      keys: ['1', 'Enter'],
    },
    { name: 'thinking-effort', pattern: '\\beffort\\b[^]*1\\. [^]*Enter to confirm', keys: ['1', 'Enter'] },
    {
      name: 'trust-folder',
      pattern: '1\\. Yes, (?:I trust this folder|proceed)[^]*2\\. No, exit',
      keys: ['1', 'Enter'],
    },
    { name: 'theme', pattern: 'Choose the text style that looks best', keys: ['Enter'] },
    { name: 'security-notes', pattern: 'Security notes:[^]*Press Enter to continue', keys: ['Enter'] },
    { name: 'api-key', pattern: 'Do you want to use this API key\\?[^]*1\\. Yes', keys: ['1', 'Enter'] },
    { name: 'yes-or-no', pattern: '[([]y/n[)\\]]\\s*:?\\s*$(?![^]*\\S)', keys: ['y', 'Enter'] },
  ],
  codex: [
    { name: 'trust-folder', pattern: '1\\. Yes, (?:continue|allow Codex)[^]*2\\. No', keys: ['1', 'Enter'] },
    { name: 'update', pattern: 'Update available[^]*1\\. Update now[^]*2\\. Skip', keys: ['2', 'Enter'] },
    { name: 'yes-or-no', pattern: '[([]y/n[)\\]]\\s*:?\\s*$(?![^]*\\S)', keys: ['y', 'Enter'] },
  ],
  pi: [],
  custom: [],
}

/** The rules that hold for one agent: its definition's first, then its provider's. Pure. */
export function answersFor(provider: ProviderName, startup: Lifecycle['startup']): readonly StartupAnswer[] {
  return [...startup.answers, ...(startup.autoAccept ? BUILT_IN[provider] : [])]
}

/** The first rule that fits the screen and was not used yet; null for none. Pure. */
export function findAnswer(
  answers: readonly StartupAnswer[],
  lines: readonly string[],
  answered: readonly string[],
): StartupAnswer | null {
  const text = lines.join('\n')
  return answers.find(({ name, pattern }) => !answered.includes(name) && matches(pattern, text)) ?? null
}

/** True when a pattern of a definition is found; one that is no regular expression is a plain text. Pure. */
export function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'm').test(text)
  } catch {
    return text.includes(pattern)
  }
}

const KEYS = ['Enter', 'Escape', 'Up', 'Down', 'Left', 'Right', 'Tab', 'BSpace', 'C-c', 'C-d'] as const
type Key = (typeof KEYS)[number]

const isKey = (name: string): name is Key => KEYS.some((key) => key === name)

/** Names of keys and texts as strokes. Pure. */
export function toStrokes(keys: readonly string[]): readonly Stroke[] {
  return keys.map((key) => (isKey(key) ? { key } : { text: key }))
}
