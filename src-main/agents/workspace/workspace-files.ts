import type { AgentPath } from '../../backends/agent-access.ts'
import {
  type Blocked,
  blockedAs,
  type Found,
  isBlocked,
  type Merge,
  type MergedFiles,
} from '../../backends/merge-files.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { AgentDefinition, Json } from '../definitions.ts'
import { needsSupervision } from '../lifecycle.ts'
import { SETTINGS_HOME_FILES, settingsChanges } from './agent-settings.ts'
import { withoutSection, withSection } from './claude-section.ts'
import type { JsonChange } from './json-change.ts'
import { changeFile, type FileRecord, restoreFile } from './json-file.ts'
import { type Records, readRecords, recordText } from './workspace-record.ts'

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
export const WORKSPACE_REMOVAL: MergedFiles = {
  paths: PATHS,
  merge: (found) => {
    const { left, records, notices } = withdraw(found)
    return { texts: [recordAfter(found[0], records), ...left], notices }
  },
}

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
function deploy(found: readonly Found[], wanted: Wanted): Merge {
  const { left, ...withdrawn } = withdraw(found)
  const notices = [...withdrawn.notices]
  const records: Record<string, FileRecord> = { ...withdrawn.records }
  const section = (file: string, before: Found, without: Found): Found => {
    if (wanted.section?.file !== file) return without
    if (isBlocked(before)) throw inTheWay(file, before)
    // A place that the section had before and has again keeps its place among a person's text.
    return withSection(before, wanted.section.text, wanted.owner, file)
  }
  const change = (file: string, text: Found, changes: readonly JsonChange[]): Found => {
    if (changes.length === 0) return text
    if (isBlocked(text)) throw inTheWay(file, text)
    const done = changeFile(text, changes, file)
    if (!done) return text
    records[file] = done
    return done.after
  }
  // Nobody asked for these by name, so one that can't be added to is left as it is.
  const orLeft = (text: Found, lost: string, work: () => Found): Found => {
    try {
      return work()
    } catch (thrown) {
      if (!isBottleError(thrown) || thrown.code !== 'manifest-invalid') throw thrown
      notices.push(`${lost} ${thrown.message}`)
      return text
    }
  }
  const [, topBefore = null, innerBefore = null] = found
  const [top = null, inner = null, mcp = null, settings = null] = left
  const files = [
    section(SECTIONS[0], topBefore, top),
    isBlocked(innerBefore)
      ? orLeft(inner, 'The agent is not told its skills.', () => section(SECTIONS[1], innerBefore, inner))
      : section(SECTIONS[1], innerBefore, inner),
    change(MCP, mcp, wanted.mcp),
    orLeft(settings, 'The agent is watched without its hooks and status line.', () =>
      change(SETTINGS, settings, wanted.settings),
    ),
  ]
  return { texts: [recordAfter(found[0], records), ...files], notices }
}

/** What is left without what an earlier start did, and what is still known of files that could not be reached. */
function withdraw(found: readonly Found[]): {
  readonly left: readonly Found[]
  readonly records: Records
  readonly notices: readonly string[]
} {
  const [record = null, top = null, inner = null, ...others] = found
  const known = readRecords(isBlocked(record) ? null : record)
  const records: Record<string, FileRecord> = {}
  const notices: string[] = []
  const restored = [MCP, SETTINGS].map((file, index): Found => {
    const now = others[index] ?? null
    const done = Object.hasOwn(known, file) ? known[file] : undefined
    if (!done) return now
    if (isBlocked(now)) {
      records[file] = done
      notices.push(`What Icebox had put into ${file} stays for now: it is ${blockedAs(now)}.`)
      return now
    }
    try {
      return restoreFile(now, done, file)
    } catch (thrown) {
      if (!isBottleError(thrown)) throw thrown
      notices.push(thrown.message)
      return now
    }
  })
  const without = (text: Found, file: string) => (isBlocked(text) ? text : withoutSection(text, file))
  return { left: [without(top, SECTIONS[0]), without(inner, SECTIONS[1]), ...restored], records, notices }
}

/** The record to keep; something else that lies in its place stays while none is needed. Pure. */
function recordAfter(found: Found | undefined, records: Records): Found {
  if (Object.keys(records).length > 0) return recordText(records, MCP)
  return found !== undefined && isBlocked(found) ? found : null
}

function inTheWay(file: string, found: Blocked): Error {
  return bottleError(
    'manifest-invalid',
    `${file} of the workspace is ${blockedAs(found)}, so Icebox adds nothing to it, and nothing was changed. ` +
      'Put a plain file in its place, or take out of the definition what is to go into it.',
  )
}
