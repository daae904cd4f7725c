import type { AgentFile } from '../../backends/agent-access.ts'
import type { ProviderName } from '../definitions.ts'

/** Providers whose conversations are files that Icebox knows. */
export type FileProvider = Exclude<ProviderName, 'custom'>

interface SessionPlace {
  /** Below HOME. */
  readonly folder: string
  /** The id in a file's path below the folder; null for a file that is no conversation. */
  readonly idOf: (path: string) => string | null
  /** Variables by which the program keeps them elsewhere. */
  readonly movedBy: readonly string[]
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

const matching =
  (pattern: RegExp) =>
  (path: string): string | null =>
    pattern.exec(path)?.[1] ?? null

/** Where the programs keep their conversations, one file each. */
export const SESSION_PLACES: Readonly<Record<FileProvider, SessionPlace>> = {
  claude: {
    folder: '.claude/projects',
    // A subagent's file is called otherwise, or lies deeper.
    idOf: matching(new RegExp(`^[^/]+/(${UUID})\\.jsonl$`)),
    movedBy: ['CLAUDE_CONFIG_DIR'],
  },
  codex: {
    folder: '.codex/sessions',
    idOf: matching(new RegExp(`(?:^|/)rollout-[^/]*?-(${UUID})\\.jsonl$`)),
    movedBy: ['CODEX_HOME'],
  },
  pi: {
    folder: '.pi/agent/sessions',
    idOf: matching(/^[^/]+\/[^/_]*_([A-Za-z0-9-]{8,64})\.jsonl$/),
    movedBy: ['PI_CODING_AGENT_DIR', 'PI_CODING_AGENT_SESSION_DIR'],
  },
}

export function keepsSessionFiles(provider: string): provider is FileProvider {
  return Object.hasOwn(SESSION_PLACES, provider)
}

/** True when the environment makes the program keep its conversations where nobody looks. Pure. */
export function movesSessions(provider: string, names: readonly string[]): boolean {
  return keepsSessionFiles(provider) && SESSION_PLACES[provider].movedBy.some((name) => names.includes(name))
}

/**
 * The folder below `.claude/projects` that claude uses for a working folder: everything but letters and digits
 * becomes a hyphen. Pure.
 */
export function claudeProject(cwd: string): string {
  return cwd.replace(/[^A-Za-z0-9]/g, '-')
}

/** As `claudeProject`, by the rule that agent YAML's upstream used. Source: scitex §6. Pure. */
export function legacyClaudeProject(cwd: string): string {
  return cwd.replace(/[/.]/g, '-').replace(/-{3,}/g, '--')
}

/** The folder below `.pi/agent/sessions` that pi uses for a working folder. Pure. */
export function piProject(cwd: string): string {
  return `--${cwd.replace(/^\//, '').replace(/[/\\:]/g, '-')}--`
}

export interface FoundSession {
  readonly id: string
  /** Below the provider's folder. */
  readonly path: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
}

/** The conversations among listed files, newest first; empty files are none. Pure. */
export function sessionsAmong(provider: FileProvider, files: readonly AgentFile[]): readonly FoundSession[] {
  const { idOf } = SESSION_PLACES[provider]
  return files
    .flatMap(({ path, bytes, modifiedAt }) => {
      const id = idOf(path)
      return id === null || bytes === 0 ? [] : [{ id, path, bytes, modifiedAt }]
    })
    .sort((a, b) => b.modifiedAt - a.modifiedAt || (a.path < b.path ? -1 : 1))
}

/** Milliseconds by which a file may seem older than the run that made it. */
export const CLOCK_SLACK_MS = 2_000

/** What tells a run's own conversation from others in its files. */
export interface RunBegin {
  /** The id that the run was begun with, if it had one. */
  readonly begunWith: string | null
  /** Milliseconds since 1970: other conversations count only if they went on since; null lets all count. */
  readonly startedAt: number | null
}

/**
 * The conversation that the run had: the newest of the folder in which the one lies that it was begun with, since a
 * program that the agent calls elsewhere keeps its own; without that one the newest of all. One that did not go on
 * since the run began is another run's. Pure.
 */
export function chooseSession(found: readonly FoundSession[], run: RunBegin): FoundSession | null {
  const own = found.find(({ id }) => id === run.begunWith)
  const since = run.startedAt === null ? Number.NEGATIVE_INFINITY : run.startedAt - CLOCK_SLACK_MS
  const folderOf = ({ path }: FoundSession): string => path.slice(0, path.lastIndexOf('/'))
  const near = own ? found.filter((session) => folderOf(session) === folderOf(own)) : found
  const newest = near.find((session) => session === own || session.modifiedAt >= since) ?? null
  // Engines tell whole seconds: the conversation before it may have ended in the second in which this one went on.
  return own && own.modifiedAt === newest?.modifiedAt ? own : newest
}
