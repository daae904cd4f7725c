import type { EgressDefinition, EgressRoute, GitGateDefinition, Json } from './definitions.ts'
import { type Fields, isEmpty, readFields, readText, toJson } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { readGitUser } from './parse-agent.ts'
import { quoted, type Report } from './problems.ts'

const ROUTE_KEYS = ['host', 'matches', 'auth', 'role', 'dlp']

/** What a bottle may reach. Null only when the key is absent: an empty one declares that nothing is allowed. */
export function readEgress(field: Field | undefined, report: Report): EgressDefinition | null {
  if (!field) return null
  const routes = readFields(field.value, '`egress`', ['routes'], report).get('routes')
  if (!routes || isEmpty(routes.value)) return { routes: [] }
  if (routes.value.kind !== 'list') {
    report(routes.line, '`routes` must be a list.', 'For example: - host: api.example.com')
    return { routes: [] }
  }
  return { routes: routes.value.items.flatMap((item) => readRoute(item, report) ?? []) }
}

function readRoute(item: Located, report: Report): EgressRoute | undefined {
  const fields = readFields(item, 'A route', ROUTE_KEYS, report)
  const host = readText(fields.get('host'), report)
  if (host === undefined) {
    report(item.line, 'A route needs a `host`.')
    return undefined
  }
  if (!/^[A-Za-z0-9*[\]:._-]{1,255}$/.test(host)) {
    report(item.line, `${quoted(host)} is not a host.`, 'Write a name without scheme and path.')
  }
  const json = (key: string): Json => jsonOf(fields, key)
  return { host, matches: json('matches'), auth: json('auth'), role: json('role'), dlp: json('dlp') }
}

function jsonOf(fields: Fields, key: string): Json {
  const field = fields.get(key)
  return field ? toJson(field.value) : null
}

/** Git through a gate. Null only when the key is absent. */
export function readGitGate(field: Field | undefined, report: Report): GitGateDefinition | null {
  if (!field) return null
  const fields = readFields(field.value, '`git-gate`', ['user', 'repos'], report)
  return {
    user: readGitUser(fields.get('user'), report),
    repos: readRepos(fields.get('repos'), report),
  }
}

/** A map of repositories, or a list keyed by each item's `name`, else its text, `url` or place. */
function readRepos(field: Field | undefined, report: Report): Readonly<Record<string, Json>> {
  if (!field || isEmpty(field.value)) return {}
  if (field.value.kind === 'scalar') {
    report(field.line, '`repos` must be a list or a map.')
    return {}
  }
  if (field.value.kind === 'map') {
    return Object.fromEntries(field.value.entries.map((entry) => [entry.key, toJson(entry.value)]))
  }
  return Object.fromEntries(field.value.items.map((item, index) => [repoKey(item, index), toJson(item)]))
}

function repoKey(item: Located, index: number): string {
  if (item.kind === 'scalar') return item.text
  if (item.kind === 'map') {
    for (const wanted of ['name', 'url']) {
      const found = item.entries.find((entry) => entry.key === wanted)?.value
      if (found?.kind === 'scalar') return found.text
    }
  }
  return String(index)
}
