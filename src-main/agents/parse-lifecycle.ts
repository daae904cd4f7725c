import { resolve } from 'node:path'
import type { HealthCheck, Json } from './definitions.ts'
import { type Fields, isEmpty, readChoice, readText, readTexts, toJson } from './fields.ts'
import type { Field } from './frontmatter.ts'
import type { AgentRuntime, Lifecycle, SessionMode } from './lifecycle.ts'
import { readAgentHealth } from './parse-health.ts'
import { readHooks } from './parse-hooks.ts'
import { expandHome, type PathBase } from './parse-mounts.ts'
import { readClaude } from './parse-session.ts'
import { readStartup } from './parse-startup.ts'
import { readAutoFreeze, readAutonomous, readContext, readRestart } from './parse-upkeep.ts'
import { type AgentMetadata, readListen, readMcpServers, readNamedSkills } from './parse-workspace.ts'
import { quoted, type Report } from './problems.ts'

/** Keys that Markdown manifests and agent YAML have in common. */
export const LIFECYCLE_KEYS = [
  'runtime',
  'session',
  'startup',
  'startup_commands',
  'hooks',
  'restart',
  'health',
  'context_management',
  'auto_freeze',
  'autonomous',
  'env-file',
  'python-venv',
  'multiplexer',
  'screen',
  'mcp_servers',
  'claude',
  'skills',
  'listen',
  'extensions',
] as const

export const RUNTIME_WORDS: Readonly<Record<string, AgentRuntime>> = {
  terminal: 'terminal',
  turns: 'turns',
  'claude-code': 'terminal',
  'claude-session': 'turns',
}

/** What the two kinds of file say differently. */
export interface LifecycleBase extends PathBase {
  readonly isYaml: boolean
  readonly metadata: AgentMetadata
  readonly runtime: AgentRuntime | null
  readonly sessionMode: SessionMode | null
  readonly screenName: string | null
}

export interface LifecycleKeys {
  readonly lifecycle: Lifecycle
  readonly check: HealthCheck | null
  readonly skipsPermissions: boolean
}

/** Reads all keys of an agent's life; whatever is wrong is reported and left at its default. */
export function readLifecycle(fields: Fields, base: LifecycleBase, report: Report): LifecycleKeys {
  const field = (key: (typeof LIFECYCLE_KEYS)[number]): Field | undefined => fields.get(key)
  const claude = readClaude(field('claude'), field('session'), base.sessionMode, report)
  const health = readAgentHealth(field('health'), base.isYaml, report)
  const skills = readNamedSkills(field('skills')?.value.kind === 'map' ? field('skills') : undefined, report)
  const lifecycle: Lifecycle = {
    runtime: base.runtime,
    multiplexer: readChoice(field('multiplexer'), ['tmux', 'screen'], report) ?? 'tmux',
    screenName: readScreenName(field('screen'), report) ?? base.screenName,
    labels: base.metadata.labels,
    session: claude.session,
    args: claude.args,
    startup: readStartup(field('startup'), field('startup_commands'), claude.autoAccept, report),
    workspace: {
      claudeMd: null,
      mcpServers: readMcpServers(field('mcp_servers'), base.metadata, report),
      skillsRequired: skills.required,
      skillsAvailable: skills.available,
    },
    envFiles: readPaths(field('env-file'), report).map((path) =>
      resolve(base.folder, expandHome(path, base.homeDir)),
    ),
    pythonVenv: readPaths(field('python-venv'), report),
    hooks: readHooks(field('hooks'), report),
    health: health.watch,
    restart: readRestart(field('restart'), report),
    context: readContext(field('context_management'), report),
    autoFreeze: readAutoFreeze(field('auto_freeze'), report),
    autonomous: readAutonomous(field('autonomous'), report),
    listen: readListen(field('listen'), report),
    extensions: readExtensions(field('extensions'), report),
    later: {
      ...(Object.keys(skills.other).length > 0 ? { skills: skills.other } : {}),
      ...(health.method === null ? {} : { 'health.method': health.method }),
    },
  }
  return { lifecycle, check: health.check, skipsPermissions: claude.skipsPermissions }
}

/** The runtime of a Markdown manifest; null when it names none. */
export function readRuntime(field: Field | undefined, report: Report): AgentRuntime | null {
  const word = readChoice(field, Object.keys(RUNTIME_WORDS), report)
  return word === undefined ? null : (RUNTIME_WORDS[word] ?? null)
}

/** `screen: {name: …}`: what other programs may know the terminal session by. */
function readScreenName(field: Field | undefined, report: Report): string | null {
  if (!field || isEmpty(field.value)) return null
  if (field.value.kind !== 'map') {
    report(field.line, '`screen` must be a map with `name`.')
    return null
  }
  for (const entry of field.value.entries) {
    if (entry.key !== 'name' && !entry.key.startsWith('x-')) {
      report(entry.line, `\`screen\` has an unknown key ${quoted(entry.key)}.`, 'Known: name.')
    }
  }
  const given = field.value.entries.find((entry) => entry.key === 'name')
  const name = readText(given, report)
  if (given === undefined || name === undefined) return null
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return name
  report(
    given.line,
    `${quoted(name)} can't be the name of a terminal session.`,
    'Use letters, digits, dots and hyphens.',
  )
  return null
}

function readPaths(field: Field | undefined, report: Report): readonly string[] {
  return (readTexts(field, report, true) ?? []).flatMap(({ text, line }) => {
    if (text !== '' && !/[\r\n]/.test(text)) return [text]
    // An empty single value is how other programs write "none".
    if (text !== '' || field?.value.kind === 'list')
      report(line, `An item of \`${field?.key}\` is not a path.`)
    return []
  })
}

function readExtensions(field: Field | undefined, report: Report): Readonly<Record<string, Json>> {
  if (!field || isEmpty(field.value)) return {}
  if (field.value.kind !== 'map') {
    report(field.line, '`extensions` must be a map of keys.')
    return {}
  }
  return Object.fromEntries(field.value.entries.map((entry) => [entry.key, toJson(entry.value)]))
}
