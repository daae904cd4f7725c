import type { SecretFinding } from '../../../src-preload/contract/index.ts'
import type { RunConfig } from '../../backends/portable.ts'
import type { SnapshotFacts } from '../facts.ts'
import { findInText, type Needle } from './finder.ts'

/** Names by which people call what nobody else may know. */
const SECRET_NAME =
  /(?:^|_)(?:API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|AUTH_TOKEN|TOKEN|SECRET|PASSWORD|PASSWD)$/i

export interface ConfigSearch<T> {
  readonly findings: readonly SecretFinding[]
  /** The same without what was found: variables and labels removed, other texts filled with `x`. */
  readonly stripped: T
}

/** Looks at everything of a config that travels. Pure. */
export function searchConfig(
  config: RunConfig,
  needles: readonly Needle[],
  secretNames: ReadonlySet<string>,
): ConfigSearch<RunConfig> {
  const findings: SecretFinding[] = []
  const add = (where: SecretFinding['where'], name: string, rule: string) =>
    findings.push({ where, name, rule, inBase: false })
  const { Env, Labels, ...rest } = config
  const env = Env?.filter((entry) => {
    const equals = entry.indexOf('=')
    const name = equals < 0 ? entry : entry.slice(0, equals)
    const value = equals < 0 ? '' : entry.slice(equals + 1)
    const rule = findInText(needles, value)[0]?.rule ?? ruleOfName(name, value, secretNames)
    if (rule) add('env', name, rule)
    return !rule
  })
  const labels = Object.entries(Labels ?? {}).filter(([name, value]) => {
    const inName = findInText(needles, name)[0]
    const rule = (inName ?? findInText(needles, value)[0])?.rule
    if (rule) add('label', inName ? '…' : name, rule)
    return !rule
  })
  const stripped = fillTexts(rest, needles, [], (path, rule) => add('history', path[0] ?? 'config', rule))
  return {
    findings,
    stripped: {
      ...stripped,
      ...(env ? { Env: env } : {}),
      ...(Labels ? { Labels: Object.fromEntries(labels) } : {}),
    },
  }
}

function ruleOfName(name: string, value: string, secretNames: ReadonlySet<string>): string | null {
  if (value === '') return null
  if (secretNames.has(name)) return `declared secret ${name}`
  return SECRET_NAME.test(name) && value.length >= 6 ? 'named like a secret' : null
}

/** Looks at the facts: notes, labels, definitions. Pure. */
export function searchFacts(facts: SnapshotFacts, needles: readonly Needle[]): ConfigSearch<SnapshotFacts> {
  const findings: SecretFinding[] = []
  const stripped = fillTexts(facts, needles, [], (path, rule) => {
    findings.push({ where: 'label', name: path.join('.'), rule, inBase: false })
  })
  return { findings, stripped }
}

/** A value with the secrets in its texts filled, keys included; what was found is told with its place. */
function fillTexts<T>(
  value: T,
  needles: readonly Needle[],
  path: readonly string[],
  found: (path: readonly string[], rule: string) => void,
): T {
  if (typeof value === 'string') return fillText(value, needles, path, found) as T
  if (Array.isArray(value)) {
    return value.map((item: unknown) => fillTexts(item, needles, path, found)) as T
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = fillText(key, needles, [...path, '…'], found)
      return [name, fillTexts(item as unknown, needles, [...path, name], found)]
    }),
  ) as T
}

function fillText(
  text: string,
  needles: readonly Needle[],
  path: readonly string[],
  found: (path: readonly string[], rule: string) => void,
): string {
  const hits = findInText(needles, text)
  if (hits.length === 0) return text
  const bytes = Buffer.from(text)
  for (const { offset, length, rule } of hits) {
    found(path, rule)
    bytes.fill('x', offset, offset + length)
  }
  return bytes.toString('utf8')
}
