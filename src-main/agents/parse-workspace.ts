import type { Json } from './definitions.ts'
import {
  isEmpty,
  readChoice,
  readFields,
  readItems,
  readNumber,
  readText,
  readTexts,
  toJson,
} from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import type { ListenPort } from './lifecycle.ts'
import { didYouMean, quoted, type Report } from './problems.ts'

/** What `${metadata.…}` stands for. */
export interface AgentMetadata {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** `labels: {role: lead}`; values as written. */
export function readLabels(field: Field | undefined, report: Report): Readonly<Record<string, string>> {
  if (!field) return {}
  const entries: [string, string][] = []
  for (const [key, entry] of readFields(field.value, '`labels`', null, report)) {
    const text = readText(entry, report)
    if (text !== undefined) entries.push([key, text])
  }
  return Object.fromEntries(entries)
}

/** MCP servers by name, with `${metadata.name}` and `${metadata.labels.x}` filled in below `env` and `args`. */
export function readMcpServers(
  field: Field | undefined,
  metadata: AgentMetadata,
  report: Report,
): Readonly<Record<string, Json>> {
  if (!field) return {}
  const servers: [string, Json][] = []
  for (const [name, entry] of readFields(field.value, `\`${field.key}\``, null, report)) {
    if (entry.value.kind !== 'map') {
      report(entry.line, `The server ${quoted(name)} must be a map of keys.`)
      continue
    }
    const keys = entry.value.entries.map(({ key }) => key)
    if (!keys.includes('command') && !keys.includes('url')) {
      report(entry.line, `The server ${quoted(name)} has neither \`command\` nor \`url\`.`)
    }
    servers.push([
      name,
      Object.fromEntries(
        entry.value.entries.map(({ key, value }) => [
          key,
          key === 'env' || key === 'args' ? filled(value, metadata, report) : toJson(value),
        ]),
      ),
    ])
  }
  return Object.fromEntries(servers)
}

function filled(value: Located, metadata: AgentMetadata, report: Report): Json {
  if (value.kind === 'list') return value.items.map((item) => filled(item, metadata, report))
  if (value.kind === 'map') {
    return Object.fromEntries(
      value.entries.map((entry) => [entry.key, filled(entry.value, metadata, report)]),
    )
  }
  return typeof value.value === 'string'
    ? fillMetadata(value.value, value.line, metadata, report)
    : value.value
}

/** A text with `${metadata.…}` filled in; an unknown one is reported and left. */
export function fillMetadata(text: string, line: number, metadata: AgentMetadata, report: Report): string {
  return text.replace(/\$\{metadata\.([^}]*)\}/g, (found, key: string) => {
    if (key === 'name') return metadata.name
    const label = key.startsWith('labels.') ? key.slice('labels.'.length) : null
    if (label !== null && Object.hasOwn(metadata.labels, label)) return metadata.labels[label] ?? ''
    const known = ['name', ...Object.keys(metadata.labels).map((name) => `labels.${name}`)]
    report(line, `${quoted(found)} stands for nothing.`, didYouMean(key, known))
    return found
  })
}

export interface NamedSkills {
  readonly required: readonly string[]
  readonly available: readonly string[]
  /** How other programs find and insert them, as written. */
  readonly other: Readonly<Record<string, Json>>
}

/** `skills: {required: […], available: […]}`: names that the managed section of CLAUDE.md tells. */
export function readNamedSkills(field: Field | undefined, report: Report): NamedSkills {
  const none = { required: [], available: [], other: {} }
  if (!field || isEmpty(field.value)) return none
  const keys = ['required', 'available', 'injection_mode', 'match_by', 'match_style']
  const fields = readFields(field.value, '`skills`', keys, report)
  readChoice(fields.get('injection_mode'), ['at-import', 'block'], report)
  readChoice(fields.get('match_style'), ['exact', 'partial'], report)
  for (const { text, line } of readTexts(fields.get('match_by'), report, true) ?? []) {
    if (!['skill-id', 'tag', 'filename'].includes(text)) {
      report(line, `\`match_by\` can't be ${quoted(text)}.`, 'Known: skill-id, tag, filename.')
    }
  }
  const names = (key: string): readonly string[] => [
    ...new Set(
      (readTexts(fields.get(key), report) ?? []).flatMap(({ text, line }) => {
        if (text !== '' && !/[\p{Cc}]/u.test(text)) return [text]
        report(line, `${quoted(text)} can't be the name of a skill.`)
        return []
      }),
    ),
  ]
  const other = keys.slice(2).flatMap((key) => {
    const entry = fields.get(key)
    return entry ? [[key, toJson(entry.value)] as const] : []
  })
  return { required: names('required'), available: names('available'), other: Object.fromEntries(other) }
}

/** Ports that an agent says it listens on: told by `status`, never opened. */
export function readListen(field: Field | undefined, report: Report): readonly ListenPort[] {
  return readItems(field).flatMap((item) => {
    if (item.kind !== 'map') {
      report(item.line, 'An item of `listen` must be a map with `port` or `path`.')
      return []
    }
    const fields = readFields(item, 'An item of `listen`', ['port', 'proto', 'path', 'name', 'owner'], report)
    const proto = readChoice(fields.get('proto'), ['tcp', 'udp', 'unix'], report) ?? 'tcp'
    const port = readNumber(fields.get('port'), { min: 1, max: 65_535, whole: true }, report) ?? null
    const path = readText(fields.get('path'), report) ?? null
    if (proto === 'unix' && !path) report(item.line, 'A unix socket needs a `path`.')
    if (proto !== 'unix' && port === null && !fields.has('port')) {
      report(item.line, `An item of \`listen\` with ${proto} needs a \`port\`.`)
    }
    return [
      {
        port,
        proto,
        path,
        name: readText(fields.get('name'), report) ?? '',
        owner: readText(fields.get('owner'), report) ?? '',
      },
    ]
  })
}
