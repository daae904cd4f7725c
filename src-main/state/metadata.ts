import { bottleError } from '../system/bottle-error.ts'
import { notifyChange } from './changes.ts'
import { quarantine, readJsonObject, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'
import { parseRuntimeRef, type RuntimeRef } from './runtime-ref.ts'

/** Major version of what Icebox keeps under `icebox`; a newer one is read and never written. */
export const METADATA_VERSION = 1

/** How a run was asked for, so that a restart asks the same again. Holds names of secrets, never values. */
export interface RunOrder {
  /** What keeps it running; null for a run as the call asked. */
  readonly runtime: 'terminal' | 'turns' | null
  /** The session mode of the call; null leaves it to the definition. */
  readonly session: string | null
  readonly resumeId: string | null
  /** The conversation that the program was told to begin or to go on with; null when it was told none. */
  readonly sessionId: string | null
  /** True when it was told to go on with the newest conversation that it finds; absent in older records. */
  readonly continuesNewest?: boolean | undefined
  /** True when a variable moves the program's conversations to where nobody looks. */
  readonly isSessionMoved: boolean
  /** Beyond those of the definition. */
  readonly secretNames: readonly string[]
  readonly allowMissingSecrets: boolean
  /** Files of variables, absolute; their values count as secrets. */
  readonly envFiles: readonly string[]
  /** True when somebody looks after the run, so that a list knows where a look may be found. */
  readonly isSupervised?: boolean | undefined
}

export interface RunRecord {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly interactive: boolean
  /** Snapshot id that the run was launched from, null for an image or an empty workspace. */
  readonly fromSnapshot: string | null
  readonly ref: RuntimeRef | null
  readonly exit: { readonly code: number | null; readonly at: string } | null
  /** True when a person or program asked for the end, so that the exit is no failure. */
  readonly isStopped: boolean
  /** True when a person wants an ended run to stay so: no rule begins it again. Its exit keeps its meaning. */
  readonly isCalledOff?: boolean | undefined
  /** Absent in records of older versions. */
  readonly order?: RunOrder | undefined
}

/** What Icebox adds to bot-bottle's metadata. */
export interface IceboxFacts {
  readonly version: number
  /** UUID of the state root that launched it. */
  readonly root: string
  readonly provider: string
  readonly agentSource: string
  readonly runs: readonly RunRecord[]
  readonly policy: 'default' | 'no-network' | 'unenforced'
  /** Names only. */
  readonly secretNames: readonly string[]
  readonly forgeEnvNames: readonly string[]
  readonly adopted: boolean
  readonly forkOf: { readonly slug: string; readonly snapshot: string } | null
  /** Every volume that was ever made for the bottle; none is deleted before the purge. */
  readonly volumes: readonly string[]
  readonly notices: readonly string[]
  /** How many hooks the newest run has, by point; absent without any. */
  readonly hooksConfigured?: Readonly<Record<string, number>> | undefined
}

/** `metadata.json`: bot-bottle's keys under bot-bottle's names, ours under `icebox`. Source: bot-bottle.md §4. */
export interface Metadata {
  readonly identity: string
  readonly agentName: string
  /** Only set when the working folder was copied in. */
  readonly cwd: string
  readonly copyCwd: boolean
  readonly startedAt: string
  readonly composeProject: string
  /** Never empty here: bot-bottle's "" is docker. */
  readonly backend: string
  readonly label: string
  readonly color: string
  readonly bottleNames: readonly string[]
  /** Null for a bottle that only bot-bottle has written. */
  readonly icebox: IceboxFacts | null
  /** The file as it was, so that keys we don't know survive a write. */
  readonly raw: Readonly<Record<string, unknown>>
}

export type MetadataRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly file: string; readonly reason: string }
  | { readonly kind: 'ok'; readonly metadata: Metadata }

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}

/** Pure; undefined for anything that is no order. */
export function parseOrder(value: unknown): RunOrder | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const order = record(value)
  const textOrNull = (part: unknown) => (typeof part === 'string' && part !== '' ? part : null)
  return {
    ...order,
    runtime: order.runtime === 'terminal' || order.runtime === 'turns' ? order.runtime : null,
    session: textOrNull(order.session),
    resumeId: textOrNull(order.resumeId),
    sessionId: textOrNull(order.sessionId),
    continuesNewest: typeof order.continuesNewest === 'boolean' ? order.continuesNewest : undefined,
    isSessionMoved: order.isSessionMoved === true,
    secretNames: texts(order.secretNames),
    allowMissingSecrets: order.allowMissingSecrets === true,
    envFiles: texts(order.envFiles),
    isSupervised: order.isSupervised === true,
  }
}

function parseRun(value: unknown): RunRecord {
  const run = record(value)
  const order = parseOrder(run.order)
  const exit = run.exit === null || run.exit === undefined ? null : record(run.exit)
  return {
    // Keys that a later version added to a run survive a write too.
    ...run,
    id: text(run.id),
    startedAt: text(run.startedAt),
    interactive: run.interactive === true,
    fromSnapshot: typeof run.fromSnapshot === 'string' ? run.fromSnapshot : null,
    ref: parseRuntimeRef(run.ref),
    exit: exit ? { code: typeof exit.code === 'number' ? exit.code : null, at: text(exit.at) } : null,
    isStopped: run.isStopped === true,
    isCalledOff: run.isCalledOff === true || undefined,
    ...(order ? { order } : {}),
  }
}

function parsePolicy(value: unknown): IceboxFacts['policy'] {
  return value === 'unenforced' || value === 'no-network' ? value : 'default'
}

function parseCounts(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(record(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )
}

function parseIcebox(value: unknown): IceboxFacts | null {
  if (value === undefined || value === null) return null
  const facts = record(value)
  const fork = facts.forkOf ? record(facts.forkOf) : null
  return {
    version: typeof facts.version === 'number' ? facts.version : METADATA_VERSION,
    root: text(facts.root),
    provider: text(facts.provider),
    agentSource: text(facts.agentSource),
    runs: Array.isArray(facts.runs) ? facts.runs.map(parseRun) : [],
    policy: parsePolicy(facts.policy),
    secretNames: texts(facts.secretNames),
    forgeEnvNames: texts(facts.forgeEnvNames),
    adopted: facts.adopted === true,
    forkOf: fork ? { slug: text(fork.slug), snapshot: text(fork.snapshot) } : null,
    volumes: texts(facts.volumes),
    notices: texts(facts.notices),
    ...(facts.hooksConfigured ? { hooksConfigured: parseCounts(facts.hooksConfigured) } : {}),
  }
}

/** Reads what any version has written: missing keys become "", false or empty. Pure. */
export function parseMetadata(raw: Readonly<Record<string, unknown>>): Metadata {
  return {
    identity: text(raw.identity),
    agentName: text(raw.agent_name),
    cwd: text(raw.cwd),
    copyCwd: raw.copy_cwd === true,
    startedAt: text(raw.started_at),
    composeProject: text(raw.compose_project),
    backend: text(raw.backend) || 'docker',
    label: text(raw.label),
    color: text(raw.color),
    bottleNames: texts(raw.bottle_names),
    icebox: parseIcebox(raw.icebox),
    raw,
  }
}

/** The file's object: unknown keys first, ours over them. Pure. */
export function metadataToJson(metadata: Metadata): Record<string, unknown> {
  const known = {
    identity: metadata.identity,
    agent_name: metadata.agentName,
    cwd: metadata.cwd,
    copy_cwd: metadata.copyCwd,
    started_at: metadata.startedAt,
    compose_project: metadata.composeProject,
    backend: metadata.backend,
    label: metadata.label,
    color: metadata.color,
    bottle_names: metadata.bottleNames,
  }
  const icebox = metadata.icebox ? { icebox: { ...record(metadata.raw.icebox), ...metadata.icebox } } : {}
  return { ...metadata.raw, ...known, ...icebox }
}

/** The JSON text that `metadata.json` holds. */
export function metadataText(metadata: Metadata): string {
  return `${JSON.stringify(metadataToJson(metadata), null, 2)}\n`
}

/** Reads a bottle's metadata; absent and corrupt are told apart, and neither throws. */
export async function readMetadata(root: StateRoot, slug: string): Promise<MetadataRead> {
  const read = await readJsonObject(root.path('state', slug, 'metadata.json'))
  return read.kind === 'ok' ? { kind: 'ok', metadata: parseMetadata(read.value) } : read
}

/**
 * Reads metadata that an operation can't do without.
 * @throws BottleError `not-found`, or `corrupt-state` after keeping a copy of the damaged file.
 */
export async function requireMetadata(root: StateRoot, slug: string): Promise<Metadata> {
  const read = await readMetadata(root, slug)
  if (read.kind === 'ok') return read.metadata
  if (read.kind === 'absent') {
    throw bottleError(
      'not-found',
      `There is no bottle ${slug}. Run icebox list, or look under ${root.path('state')}.`,
      {
        slug,
      },
    )
  }
  const copy = await copyOf(root, read.file)
  throw bottleError(
    'corrupt-state',
    `${read.file} is damaged. Nothing was changed; ${copy}. Freeze and destroy still work with --backend.`,
    { slug, detail: read.reason },
  )
}

/** Where the copy of a damaged file is, in words. A full disk must not hide that the file is damaged. */
async function copyOf(root: StateRoot, file: string): Promise<string> {
  try {
    return `a copy is at ${await quarantine(root.dir, file)}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') throw error
    return 'no copy could be kept'
  }
}

/**
 * Refuses what a newer Icebox wrote, whatever the caller has put over it since. For operations that change a
 * bottle: to be asked before their first side effect.
 * @throws BottleError `unsupported`
 */
export function requireWritable(slug: string, metadata: Metadata): void {
  const written = record(metadata.raw.icebox).version
  const version = Math.max(metadata.icebox?.version ?? 0, typeof written === 'number' ? written : 0)
  if (version <= METADATA_VERSION) return
  throw bottleError(
    'unsupported',
    `${slug} was written by a newer Icebox; this one only reads it. Update Icebox.`,
    { slug },
  )
}

/**
 * Writes metadata durably and tells the watchers.
 * @throws BottleError `unsupported` when a newer Icebox wrote the file.
 */
export async function writeMetadata(root: StateRoot, slug: string, metadata: Metadata): Promise<void> {
  requireWritable(slug, metadata)
  await writeDurable(root.path('state', slug, 'metadata.json'), metadataText(metadata))
  notifyChange(root, slug)
}

/** The run that metadata calls the newest, if any. */
export function latestRun(metadata: Metadata): RunRecord | null {
  return metadata.icebox?.runs.at(-1) ?? null
}

/** Runs that keep their engine facts: the newest, and the one it replaced until that is gone. */
const RUNS_WITH_REF = 2
/** Runs that are remembered at all. */
const RUNS_KEPT = 500

/**
 * Metadata with one run replaced or added. Older runs lose their engine facts, so that a bottle of many cycles
 * stays small; volumes stay named, except a run's own secret volume, which goes with its container. Pure.
 */
export function withRun(metadata: Metadata, run: RunRecord): Metadata {
  const facts = metadata.icebox
  if (!facts) return metadata
  const isKnown = facts.runs.some((known) => known.id === run.id)
  const all = isKnown ? facts.runs.map((known) => (known.id === run.id ? run : known)) : [...facts.runs, run]
  const kept = all.slice(-RUNS_KEPT)
  const runs = kept.map((each, index) =>
    index < kept.length - RUNS_WITH_REF ? { ...each, ref: null } : each,
  )
  const added = (run.ref?.volumes ?? []).filter((name) => !name.startsWith('icebox-run-'))
  return { ...metadata, icebox: { ...facts, runs, volumes: [...new Set([...facts.volumes, ...added])] } }
}
