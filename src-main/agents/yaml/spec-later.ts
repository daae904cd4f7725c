import type { Json } from '../definitions.ts'
import {
  type Fields,
  isEmpty,
  readBoolean,
  readChoice,
  readFields,
  readNumber,
  readText,
  readTexts,
  toJson,
} from '../fields.ts'
import type { Field } from '../frontmatter.ts'
import { isEnvName } from '../names.ts'
import { quoted, type Report } from '../problems.ts'

/** What a key holds: a kind of value, a few words, or a map of further keys. */
type Shape =
  | 'text'
  | 'texts'
  | 'boolean'
  | 'number'
  | 'count'
  | 'port'
  | 'env-name'
  | readonly string[]
  | { readonly [key: string]: Shape }

/** Parts that this version keeps and shows, and that a later one acts on. Source: scitex §2.2, §4.3. */
export const LATER_PARTS: Readonly<Record<string, { readonly [key: string]: Shape }>> = {
  slurm: {
    partition: 'text',
    time_limit: 'text',
    nodes: 'count',
    ntasks: 'count',
    cpus_per_task: 'count',
    mem: 'text',
    gres: 'text',
    job_name: 'text',
    signal: 'text',
    auto_resubmit: 'boolean',
    hold: 'text',
    logs_dir: 'text',
    extra_directives: 'texts',
    heartbeat: { command: 'text', interval_s: 'number', log_file: 'text' },
    reservation: 'text',
    hooks: {
      pre_submit: 'text',
      pre_agent: 'text',
      walltime_signal: 'text',
      post_agent: 'text',
      attach: 'text',
    },
  },
  orochi: {
    enabled: 'boolean',
    hosts: 'texts',
    port: 'port',
    token_env: 'env-name',
    channels: 'texts',
    heartbeat: 'number',
  },
  a2a: { host: 'text', port: 'port', handler: 'text' },
  telegram: { bot_token_env: 'env-name', allowed_users: 'texts', auto_connect: 'boolean', greeting: 'text' },
  watchdog: {
    enabled: 'boolean',
    interval: 'number',
    responses: { y_n: 'text', y_y_n: 'text', waiting: 'text' },
  },
}

export interface LaterParts {
  /** As written. */
  readonly parts: Readonly<Record<string, Json>>
  readonly notices: readonly string[]
}

/** Checks the parts of later versions strictly and keeps them. */
export function readLater(fields: Fields, report: Report): LaterParts {
  const parts: [string, Json][] = []
  for (const [key, shape] of Object.entries(LATER_PARTS)) {
    const field = fields.get(key)
    if (!field || isEmpty(field.value)) continue
    checkMap(field, `\`${key}\``, shape, report)
    parts.push([key, toJson(field.value)])
  }
  const kept = Object.fromEntries(parts)
  const asleep = Object.entries(kept).flatMap(([key, part]) => (isAskedFor(key, part) ? [key] : []))
  return { parts: kept, notices: asleep.map(notActedOn) }
}

/** The sentence for a part that this version only keeps. */
export function notActedOn(key: string): string {
  return `\`${key}\` is kept and shown, but not acted on by this version.`
}

/** False for a block that says itself that it is off. */
function isAskedFor(key: string, part: Json): boolean {
  const map = typeof part === 'object' && part !== null && !Array.isArray(part) ? part : {}
  const value = (name: string): unknown => (map as Readonly<Record<string, Json>>)[name]
  if (key === 'orochi' || key === 'watchdog') return value('enabled') === true
  if (key === 'a2a') return value('port') !== undefined && value('port') !== null
  // Its runtime is refused, and without that runtime the block says nothing.
  return key !== 'slurm'
}

function checkMap(
  field: Field,
  what: string,
  shape: { readonly [key: string]: Shape },
  report: Report,
): void {
  for (const [key, entry] of readFields(field.value, what, Object.keys(shape), report)) {
    const expected = shape[key]
    if (expected !== undefined) check(entry, expected, report)
  }
}

function check(field: Field, shape: Shape, report: Report): void {
  if (Array.isArray(shape)) readChoice(field, shape as readonly string[], report)
  else if (typeof shape === 'object')
    checkMap(field, `\`${field.key}\``, shape as { [key: string]: Shape }, report)
  else if (shape === 'text') readText(field, report)
  else if (shape === 'texts') readTexts(field, report, true)
  else if (shape === 'boolean') readBoolean(field, report)
  else if (shape === 'port') readNumber(field, { min: 1, max: 65_535, whole: true }, report)
  else if (shape === 'count') readNumber(field, { min: 1, max: 1_000_000, whole: true }, report)
  else if (shape === 'number') readNumber(field, { min: 0, max: 1_000_000_000 }, report)
  else if (!isEnvName(readText(field, report) ?? 'EMPTY')) {
    // Never quoted: somebody may have put the token itself here.
    report(field.line, `\`${field.key}\` must be the name of a variable, never a value.`)
  }
}

export interface Remote {
  /** As written. */
  readonly part: Json
  /** The host that the last hop leads to, for messages. */
  readonly host: string
}

/** `remote`: one hop, a chain of hops, or a map; null when absent. An empty host is an error: it is nobody's name. */
export function readRemote(field: Field | undefined, report: Report): Remote | null {
  if (!field || isEmpty(field.value)) return null
  const part = toJson(field.value)
  if (field.value.kind !== 'map') {
    const hops = (readTexts(field, report, true) ?? []).filter(({ text, line }) => isHost(text, line, report))
    if (field.value.kind === 'list' && field.value.items.length === 0) isHost('', field.line, report)
    return { part, host: hops.at(-1)?.text ?? '' }
  }
  const shape: { readonly [key: string]: Shape } = {
    host: 'text',
    user: 'text',
    key: 'text',
    port: 'port',
    timeout: 'number',
    login_shell: 'boolean',
    no_preflight: 'boolean',
  }
  checkMap(field, '`remote`', shape, report)
  const entry = field.value.entries.find(({ key }) => key === 'host')
  const host = entry?.value.kind === 'scalar' ? entry.value.text : ''
  isHost(host, entry?.line ?? field.line, report)
  return { part, host }
}

function isHost(text: string, line: number, report: Report): boolean {
  if (/^[A-Za-z0-9_][A-Za-z0-9._@:-]*$/.test(text)) return true
  report(line, text === '' ? '`remote` names no host.' : `${quoted(text)} is not a host.`)
  return false
}
