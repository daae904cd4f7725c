import { homedir } from 'node:os'
import { dirname } from 'node:path'
import {
  type AgentDefinition,
  type CommandTemplates,
  type GitUser,
  type Json,
  PROVIDER_NAMES,
} from './definitions.ts'
import { type Fields, isForeign, readChoice, readFields, readText, readTexts, toJson } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { isKebab, isManifestName } from './names.ts'
import { LIFECYCLE_KEYS, readLifecycle, readRuntime } from './parse-lifecycle.ts'
import { readLabels } from './parse-workspace.ts'
import { quoted, type Report } from './problems.ts'

export interface AgentOrigin {
  readonly name: string
  /** Absolute path, for messages. */
  readonly file: string
  readonly source: AgentDefinition['source']
  /** What `~` stands for in a path; default this user's. */
  readonly homeDir?: string
}

export const AGENT_KEYS = [
  'name',
  'description',
  'bottle',
  'provider',
  'command',
  'model',
  'color',
  'memory',
  'git-gate',
  'labels',
  ...LIFECYCLE_KEYS,
] as const

/** The largest system prompt in bytes: it travels as one argument, which Linux ends at 128 KiB. */
const SYSTEM_PROMPT_MAX = 100_000

/** Builds an agent from its frontmatter; whatever is wrong is reported and left out. */
export function agentFromFields(
  root: Located,
  body: string,
  origin: AgentOrigin,
  report: Report,
): AgentDefinition {
  const fields = readFields(root, 'An agent', AGENT_KEYS, report)
  const provider = readChoice(fields.get('provider'), PROVIDER_NAMES, report)
  const command = readCommand(fields.get('command'), report)
  if (command && provider !== 'custom') {
    report(
      fields.get('command')?.line ?? 1,
      '`command` needs `provider: custom`.',
      'The other providers know their own commands.',
    )
  }
  if (Buffer.byteLength(body) > SYSTEM_PROMPT_MAX) {
    report(1, `The body is the system prompt and can't be longer than ${SYSTEM_PROMPT_MAX / 1000} kB.`)
  }
  if (body.includes('\0')) report(1, 'The body holds a NUL character.')
  const runtime = fields.get('runtime')
  const word = readText(runtime, () => {})
  if (runtime && word?.startsWith('claude-') && provider !== undefined && provider !== 'claude') {
    report(runtime.line, `\`runtime: ${word}\` is for claude.`, 'Write `terminal` or `turns`.')
  }
  const memory = fields.get('memory')
  const labels = readLabels(fields.get('labels'), report)
  const { name, file, source, homeDir = homedir() } = origin
  const base = {
    folder: dirname(file),
    homeDir,
    isYaml: false,
    metadata: { name, labels },
    runtime: readRuntime(runtime, report),
    sessionMode: null,
    screenName: null,
  }
  const { lifecycle, check, skipsPermissions } = readLifecycle(fields, base, report)
  return {
    name,
    file,
    source,
    bottle: readBottleName(fields.get('bottle'), report),
    skills: isSkillList(fields) ? readSkills(fields.get('skills'), report) : [],
    provider: provider ?? 'claude',
    isProviderGiven: provider !== undefined,
    command,
    systemPrompt: body,
    displayName: readText(fields.get('name'), report) ?? null,
    description: readText(fields.get('description'), report) ?? '',
    model: readModel(fields.get('model'), report),
    color: readText(fields.get('color'), report) ?? '',
    memory: memory ? toJson(memory.value) : null,
    gitGateUser: readAgentGitGate(fields.get('git-gate'), report),
    health: check,
    lifecycle: { ...lifecycle, later: { ...lifecycle.later, ...foreignKeys(root) } },
    ...(skipsPermissions ? { skipsPermissions } : {}),
    lines: linesOf(fields),
  }
}

/** A map of names to tell is not the list of folders that go along. */
function isSkillList(fields: Fields): boolean {
  return fields.get('skills')?.value.kind !== 'map'
}

/** The keys `x-…` of a map, as written. */
export function foreignKeys(root: Located): Readonly<Record<string, Json>> {
  if (root.kind !== 'map') return {}
  const entries = root.entries.filter((entry) => isForeign(entry.key))
  return Object.fromEntries(entries.map((entry) => [entry.key, toJson(entry.value)]))
}

function linesOf(fields: Fields): AgentDefinition['lines'] {
  const line = (key: string): number => fields.get(key)?.line ?? 1
  return { bottle: line('bottle'), skills: line('skills'), command: line('command') }
}

function readBottleName(field: Field | undefined, report: Report): string | null {
  const name = readText(field, report)
  if (field === undefined || name === undefined) return null
  if (!isManifestName(name)) {
    report(field.line, `${quoted(name)} can't be the name of a bottle.`, 'Use letters, digits and hyphens.')
    return null
  }
  return name
}

export function readModel(field: Field | undefined, report: Report): string | null {
  const model = readText(field, report)
  if (field === undefined || model === undefined) return null
  // It becomes an argument, so it must never look like an option.
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/@[\]-]{0,199}$/.test(model)) {
    report(field.line, `${quoted(model)} can't be the name of a model.`)
  }
  return model
}

function readSkills(field: Field | undefined, report: Report): readonly string[] {
  const names: string[] = []
  for (const { text, line } of readTexts(field, report) ?? []) {
    if (!isKebab(text)) {
      report(line, `${quoted(text)} can't be the name of a skill.`, 'Use lower-case words joined by hyphens.')
    } else if (!names.includes(text)) {
      names.push(text)
    }
  }
  return names
}

/** Argument lists, or null when the key is absent. */
export function readCommand(field: Field | undefined, report: Report): CommandTemplates | null {
  if (!field) return null
  const fields = readFields(field.value, '`command`', ['headless', 'interactive', 'resume'], report)
  const list = (key: string): readonly string[] | null => {
    const entry = fields.get(key)
    if (entry?.value.kind === 'scalar' && entry.value.value !== null) {
      report(
        entry.line,
        `\`${key}\` must be a list of arguments.`,
        'For example: [my-agent, --task, "{prompt}"]',
      )
      return null
    }
    const texts = readTexts(entry, report)?.map((item) => item.text)
    if (!texts) return null
    if (!texts[0]) {
      report(entry?.line ?? field.line, `\`${key}\` must name a program first.`)
      return null
    }
    return texts
  }
  return { headless: list('headless'), interactive: list('interactive'), resume: list('resume') }
}

function readAgentGitGate(field: Field | undefined, report: Report): GitUser | null {
  if (!field) return null
  const fields = readFields(field.value, "An agent's `git-gate`", ['user'], report)
  return readGitUser(fields.get('user'), report)
}

/** `{name, email}`, or a plain name. */
export function readGitUser(field: Field | undefined, report: Report): GitUser | null {
  if (!field) return null
  if (field.value.kind === 'scalar') {
    const name = readText(field, report)
    return name === undefined ? null : oneLineUser({ name, email: null }, field.line, report)
  }
  const fields = readFields(field.value, '`git-gate.user`', ['name', 'email'], report)
  const user = {
    name: readText(fields.get('name'), report) ?? null,
    email: readText(fields.get('email'), report) ?? null,
  }
  return oneLineUser(user, field.line, report)
}

function oneLineUser(user: GitUser, line: number, report: Report): GitUser {
  if (/[\r\n]/.test(`${user.name ?? ''}${user.email ?? ''}`)) {
    report(line, 'A name and an e-mail address must be on one line.')
  }
  return user
}
