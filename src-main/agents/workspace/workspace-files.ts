import type { AgentPath } from '../../backends/agent-access.ts'
import type { MergedFiles } from '../../backends/merge-files.ts'
import type { AgentDefinition, Json } from '../definitions.ts'
import { needsSupervision } from '../lifecycle.ts'
import { SETTINGS_HOME_FILES, settingsChanges } from './agent-settings.ts'
import { withoutSection, withSection } from './claude-section.ts'
import type { JsonChange } from './json-change.ts'
import { changeFile, type FileRecord, isJsonObject, restoreFile } from './json-file.ts'

/** Keeps what was done to which file; lies in the bottle, so that snapshots and forks carry it. */
const RECORD = '.icebox/workspace.json'
const SECTIONS = ['CLAUDE.md', '.claude/CLAUDE.md'] as const
const MCP = '.mcp.json'
const SETTINGS = '.claude/settings.local.json'

/** Every file that is looked at, in the order in which texts are passed. */
const PATHS: readonly AgentPath[] = [
  { base: 'home', path: RECORD },
  ...[...SECTIONS, MCP, SETTINGS].map((path): AgentPath => ({ base: 'workspace', path })),
]

type Records = Readonly<Record<string, FileRecord>>
type Texts = readonly (string | null)[]

/** What one definition wants to be in its agent's working folder. */
interface Wanted {
  readonly owner: string
  readonly section: { readonly file: (typeof SECTIONS)[number]; readonly text: string } | null
  readonly mcp: readonly JsonChange[]
  readonly settings: readonly JsonChange[]
}

export interface WorkspaceInput {
  readonly agent: AgentDefinition
  readonly skipPermissions: boolean
  readonly args: readonly string[]
}

export interface WorkspacePlan {
  readonly merged: MergedFiles
  /** Path below HOME → text. */
  readonly homeFiles: Readonly<Record<string, string>>
}

/** The files that a launch merges with what a person has there; null when the definition wants none. Pure. */
export function planWorkspace(input: WorkspaceInput): WorkspacePlan | null {
  const wanted = wantedOf(input)
  if (!wanted.section && wanted.mcp.length === 0 && wanted.settings.length === 0) return null
  return {
    merged: { paths: PATHS, merge: (found) => deploy(found, wanted) },
    homeFiles: wanted.settings.length > 0 ? SETTINGS_HOME_FILES : {},
  }
}

/** Takes all of it away again, whoever put it there; a person's text stays. Null texts are files that go. */
export const WORKSPACE_REMOVAL: MergedFiles = { paths: PATHS, merge: (found) => withdraw(found).texts }

function wantedOf({ agent, skipPermissions, args }: WorkspaceInput): Wanted {
  const { workspace, labels } = agent.lifecycle
  const servers = Object.entries(workspace.mcpServers)
  const isWatched = agent.provider === 'claude' && needsSupervision(agent.lifecycle)
  const text = sectionText(agent.name, labels.role ?? null, workspace)
  return {
    owner: agent.name,
    section: text === null ? null : { file: workspace.claudeMd === null ? SECTIONS[1] : SECTIONS[0], text },
    mcp: servers.map(([name, value]) => ({
      kind: 'set',
      path: ['mcpServers', name],
      value: interpolated(value, agent),
      always: true,
    })),
    settings: isWatched
      ? settingsChanges({ args, skipPermissions, servers: servers.map(([name]) => name) })
      : [],
  }
}

function sectionText(
  name: string,
  role: string | null,
  { claudeMd, skillsRequired, skillsAvailable }: AgentDefinition['lifecycle']['workspace'],
): string | null {
  const hasSkills = skillsRequired.length > 0 || skillsAvailable.length > 0
  if (claudeMd === null && !hasSkills) return null
  const list = (title: string, skills: readonly string[]) =>
    skills.length === 0 ? [] : [`## ${title}`, '', '```skills', ...skills, '```', '']
  return [
    ...(claudeMd === null
      ? [`# Agent ${name}`, '', ...(role === null ? [] : [`Role: ${role}`, ''])]
      : [claudeMd.trim(), '']),
    ...list('Required skills', skillsRequired),
    ...list('Available skills', skillsAvailable),
  ].join('\n')
}

/** Fills `${metadata.name}` and `${metadata.labels.x}` in; an unknown one stays as it is. Pure. */
export function interpolated(value: Json, agent: Pick<AgentDefinition, 'name' | 'lifecycle'>): Json {
  if (typeof value === 'string') {
    return value.replace(/\$\{metadata\.(name|labels\.([^}]+))\}/g, (found, what: string, label?: string) => {
      if (what === 'name') return agent.name
      const { labels } = agent.lifecycle
      return label !== undefined && Object.hasOwn(labels, label) ? (labels[label] ?? found) : found
    })
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => interpolated(item, agent))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, interpolated(item as Json, agent)]),
  )
}

/** Takes back what an earlier start did, then does what this one wants. Pure. @throws BottleError as its parts */
function deploy(found: Texts, wanted: Wanted): Texts {
  const { texts } = withdraw(found)
  const [, top = null, inner = null, mcp = null, settings = null] = texts
  const section = (file: string, text: string | null) =>
    wanted.section?.file === file ? withSection(text, wanted.section.text, wanted.owner, file) : text
  // A place that the section had before and has again keeps its place among a person's text.
  const [, topBefore = null, innerBefore = null] = found
  const sections = [section(SECTIONS[0], wanted.section?.file === SECTIONS[0] ? topBefore : top)]
  sections.push(section(SECTIONS[1], wanted.section?.file === SECTIONS[1] ? innerBefore : inner))
  const records: Record<string, FileRecord> = {}
  const change = (file: string, text: string | null, changes: readonly JsonChange[]): string | null => {
    const done = changes.length === 0 ? null : changeFile(text, changes, file)
    if (!done) return text
    records[file] = done
    return done.after
  }
  // Nobody asked for the settings by name, so a file that can't be added to is left as it is.
  const mcpAfter = change(MCP, mcp, wanted.mcp)
  const settingsAfter = isJsonObject(settings) ? change(SETTINGS, settings, wanted.settings) : settings
  const record =
    Object.keys(records).length > 0 ? `${JSON.stringify({ version: 1, files: records })}\n` : null
  return [record, ...sections, mcpAfter, settingsAfter]
}

function withdraw(found: Texts): { readonly texts: Texts } {
  const [record = null, top = null, inner = null, mcp = null, settings = null] = found
  const records = readRecords(record)
  const restore = (file: string, text: string | null) => {
    const known = Object.hasOwn(records, file) ? records[file] : undefined
    return known ? restoreFile(text, known) : text
  }
  return {
    texts: [
      null,
      withoutSection(top, SECTIONS[0]),
      withoutSection(inner, SECTIONS[1]),
      restore(MCP, mcp),
      restore(SETTINGS, settings),
    ],
  }
}

/** A damaged record costs the taking back and nothing of a person's. */
function readRecords(text: string | null): Records {
  if (text === null) return {}
  try {
    const { files } = JSON.parse(text) as { files?: unknown }
    if (typeof files !== 'object' || files === null) return {}
    return Object.fromEntries(Object.entries(files).filter(([, record]) => isRecord(record))) as Records
  } catch {
    return {}
  }
}

function isRecord(value: unknown): value is FileRecord {
  if (typeof value !== 'object' || value === null) return false
  const { before, after, undo } = value as Partial<Record<keyof FileRecord, unknown>>
  const isText = typeof after === 'string' && (before === null || typeof before === 'string')
  return (
    isText &&
    Array.isArray(undo) &&
    undo.every(
      (one: { path?: unknown } | null) =>
        Array.isArray(one?.path) && one.path.every((key: unknown) => typeof key === 'string'),
    )
  )
}
