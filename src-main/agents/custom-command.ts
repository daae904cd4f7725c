import type { AgentDefinition } from './definitions.ts'
import { manifestError } from './problems.ts'

/** What a template may name. Null values are filled in as an empty text. */
export interface TemplateValues {
  readonly prompt: string | null
  readonly session: string | null
  readonly workdir: string
}

const PLACEHOLDER = /\{(prompt|session|workdir)\}/g

/**
 * Fills a list of arguments. Each element stays exactly one argument whatever the values hold, and what was
 * filled in is never looked at again.
 */
export function fillTemplate(template: readonly string[], values: TemplateValues): readonly string[] {
  return template.map((element) =>
    element.replace(PLACEHOLDER, (_found, name: keyof TemplateValues) => values[name] ?? ''),
  )
}

export interface CustomCommand {
  /** Null runs the image's own command. */
  readonly argv: readonly string[] | null
  readonly takesPrompt: boolean
  readonly notices: readonly string[]
}

/**
 * The command of a custom agent. A resume uses the `resume` list where it can carry all there is to pass on:
 * a list that needs a session id needs one known, and a prompt needs a place.
 * @throws BottleError `manifest-invalid` when there is no list for the mode.
 */
export function customCommand(
  agent: AgentDefinition,
  mode: 'headless' | 'interactive',
  isResuming: boolean,
  values: TemplateValues,
): CustomCommand {
  if (agent.command === null) {
    const lost =
      values.prompt === null ? [] : ['The agent runs its image’s own command, which takes no prompt.']
    return { argv: null, takesPrompt: false, notices: lost }
  }
  const notices: string[] = []
  const template = isResuming
    ? (resumeTemplate(agent, values, notices) ?? agent.command[mode])
    : agent.command[mode]
  if (template === null) {
    throw manifestError([
      {
        file: agent.file,
        line: agent.lines.command,
        message: `agent '${agent.name}' has no \`${mode}\` command.`,
        hint: `Add \`${mode}\` under \`command\`, as a list of arguments.`,
      },
    ])
  }
  const takesPrompt = names(template, 'prompt')
  if (values.prompt !== null && !takesPrompt) {
    notices.push(`The ${mode} command has no {prompt}, so the agent does not get the prompt as an argument.`)
  }
  if (values.prompt?.startsWith('-') && template.includes('{prompt}') && !isGuarded(template)) {
    notices.push('The prompt begins with “-” and the command has no `--` before {prompt}.')
  }
  return { argv: fillTemplate(template, values), takesPrompt, notices }
}

function resumeTemplate(
  agent: AgentDefinition,
  values: TemplateValues,
  notices: string[],
): readonly string[] | null {
  const template = agent.command?.resume ?? null
  if (template === null) return null
  if (names(template, 'session') && values.session === null) {
    notices.push('No session is known, so the agent starts a new one.')
    return null
  }
  if (values.prompt !== null && !names(template, 'prompt')) {
    notices.push('The resume command has no {prompt}, so the first command is used for this prompt.')
    return null
  }
  return template
}

function names(template: readonly string[], name: keyof TemplateValues): boolean {
  return template.some((element) => element.includes(`{${name}}`))
}

/** True when the program can't take the prompt for an option: behind `--`, or behind a shell's `-c SCRIPT NAME`. */
function isGuarded(template: readonly string[]): boolean {
  const before = template.slice(0, template.indexOf('{prompt}'))
  const script = before.indexOf('-c')
  return before.includes('--') || (script !== -1 && before.length - script >= 3)
}
