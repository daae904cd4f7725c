import type { Json } from '../definitions.ts'
import { type Fields, isEmpty, readChoice, readFields, readText, readTexts, toJson } from '../fields.ts'
import type { Field } from '../frontmatter.ts'
import { quoted, type Report } from '../problems.ts'
import { type HostIdentity, isThisHost, perHostName } from './host-identity.ts'
import { notActedOn } from './spec-later.ts'

export type YamlVersion = 1 | 2 | 3

/** Where an agent may run, and under which name. */
export interface Placement {
  /** The agent's name, with the host's where it is one agent per host. */
  readonly id: string
  /** `${HOSTNAME}` stands for this machine's name in the whole file. */
  readonly fillsHostname: boolean
  /** Why it does not run on this machine; null when it does. */
  readonly refusal: string | null
  readonly later: Readonly<Record<string, Json>>
  readonly notices: readonly string[]
}

/** Reads `host` and `hosts` (v3) or `scheduling` (v2). Source: scitex §2.2. */
export function readPlacement(
  name: string,
  version: YamlVersion,
  fields: Fields,
  host: HostIdentity,
  report: Report,
): Placement {
  const plain = { id: name, fillsHostname: false, refusal: null, later: {}, notices: [] }
  const scheduling = fields.get('scheduling')
  const pin = present(fields.get('host'))
  const spread = present(fields.get('hosts'))
  if (scheduling && version !== 2) {
    report(scheduling.line, '`scheduling` belongs to v2.', 'In v3 write `host` or `hosts`.')
  }
  if (version !== 3) {
    for (const field of [pin, spread]) {
      if (field) report(field.line, `\`${field.key}\` belongs to v3.`, 'In v2 write `scheduling`.')
    }
    return version === 2 && present(scheduling) ? ofScheduling(name, scheduling, host, report) : plain
  }
  if (pin && spread) {
    report(spread.line, '`host` and `hosts` exclude each other.', 'Keep one of them.')
  }
  if (spread) return perHost(name, spread, host, report)
  if (!pin) return plain
  const names = hostNames(pin, report)
  const isHere = names.some((entry) => isThisHost(entry, host))
  return {
    ...plain,
    refusal: isHere || names.length === 0 ? null : elsewhere(name, names, host),
    later: { host: toJson(pin.value) },
    notices: names.length > 1 ? [notActedOn('host')] : [],
  }
}

function perHost(name: string, field: Field, host: HostIdentity, report: Report): Placement {
  const isAll = field.value.kind === 'scalar' && field.value.text === 'all'
  if (field.value.kind === 'scalar' && !isAll) {
    report(field.line, `\`hosts\` can't be ${quoted(field.value.text)}.`, 'Write `all` or a list of hosts.')
  }
  const names = isAll ? [] : hostNames(field, report)
  return {
    id: withHost(name, host, field.line, report),
    fillsHostname: true,
    refusal: isAll || names.some((entry) => isThisHost(entry, host)) ? null : elsewhere(name, names, host),
    later: { hosts: toJson(field.value) },
    notices: [],
  }
}

function ofScheduling(name: string, field: Field | undefined, host: HostIdentity, report: Report): Placement {
  const line = field?.line ?? 1
  const fields = field
    ? readFields(field.value, '`scheduling`', ['mode', 'preferred-host', 'fallback-hosts'], report)
    : new Map<string, Field>()
  const mode = readChoice(fields.get('mode'), ['per-host', 'singleton'], report) ?? 'per-host'
  const preferred = readText(fields.get('preferred-host'), report) ?? ''
  const fallback = readTexts(fields.get('fallback-hosts'), report, true) ?? []
  for (const entry of fallback) {
    if (entry.text.trim() === '') report(entry.line, 'An empty name is not a host.')
  }
  const isElsewhere = mode === 'singleton' && preferred.trim() !== '' && !isThisHost(preferred, host)
  return {
    id: mode === 'per-host' ? withHost(name, host, line, report) : name,
    fillsHostname: true,
    refusal: isElsewhere ? elsewhere(name, [preferred], host) : null,
    later: field ? { scheduling: toJson(field.value) } : {},
    notices: fallback.length > 0 ? [notActedOn('scheduling.fallback-hosts')] : [],
  }
}

function withHost(name: string, host: HostIdentity, line: number, report: Report): string {
  if (host.canonical !== '') return perHostName(name, host.canonical)
  report(
    line,
    'This machine has no name, which an agent per host needs.',
    'Set SCITEX_AGENT_CONTAINER_HOSTNAME.',
  )
  return name
}

function elsewhere(name: string, hosts: readonly string[], host: HostIdentity): string {
  const here = host.canonical === '' ? 'this machine has no name' : `this machine is ${host.canonical}`
  return `${name} runs on ${hosts.join(', ') || 'no host'}, and ${here}.`
}

function hostNames(field: Field, report: Report): readonly string[] {
  return (readTexts(field, report, true) ?? []).flatMap(({ text, line }) => {
    if (/^[A-Za-z0-9:][A-Za-z0-9._:-]*$/.test(text)) return [text]
    report(line, text.trim() === '' ? 'An empty name is not a host.' : `${quoted(text)} is not a host.`)
    return []
  })
}

/** A key whose value is `""` is how other programs write "none". */
function present(field: Field | undefined): Field | undefined {
  if (!field || isEmpty(field.value)) return undefined
  if (field.value.kind === 'scalar' && field.value.text === '') return undefined
  return field.value.kind === 'list' && field.value.items.length === 0 ? undefined : field
}
