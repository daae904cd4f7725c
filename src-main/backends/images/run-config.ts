import type { RunConfig } from '../portable.ts'

const LISTS = ['Cmd', 'Entrypoint', 'Env', 'Shell'] as const
const SETS = ['ExposedPorts', 'Volumes'] as const
const TEXTS = ['StopSignal', 'User', 'WorkingDir'] as const
const OWN_LABEL = 'dev.icebox.'

/**
 * Pure: the part of an image's config that leaves an engine. Only known keys, nothing empty, keys in order, without
 * Icebox's own labels: the same image gives the same text on every engine and after every journey.
 */
export function runConfig(config: object | null | undefined): RunConfig {
  const given = (config ?? {}) as Readonly<Record<string, unknown>>
  const kept: Record<string, unknown> = {}
  for (const key of LISTS) {
    const value = given[key]
    const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(String) : []
    if (list.length > 0) kept[key] = list
  }
  for (const key of SETS) {
    const names = Object.keys(recordOf(given[key])).sort()
    if (names.length > 0) kept[key] = Object.fromEntries(names.map((name) => [name, {}]))
  }
  for (const key of TEXTS) {
    const value = given[key]
    if (typeof value === 'string' && value !== '') kept[key] = value
  }
  const labels = Object.entries(recordOf(given.Labels)).filter(([name]) => !name.startsWith(OWN_LABEL))
  if (labels.length > 0) {
    kept.Labels = Object.fromEntries(
      labels.map(([name, value]) => [name, String(value)] as const).sort(byName),
    )
  }
  const check = healthcheck(given.Healthcheck)
  if (check) kept.Healthcheck = check
  return Object.fromEntries(Object.entries(kept).sort(byName)) as RunConfig
}

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]) =>
  left < right ? -1 : left > right ? 1 : 0

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}

const TIMES = ['Interval', 'Retries', 'StartInterval', 'StartPeriod', 'Timeout'] as const

function healthcheck(value: unknown): object | null {
  const given = recordOf(value)
  const test = Array.isArray(given.Test) ? given.Test.map(String) : []
  if (test.length === 0) return null
  const times = TIMES.flatMap((key) => {
    const amount = given[key]
    return typeof amount === 'number' && amount > 0 ? [[key, amount] as const] : []
  })
  return Object.fromEntries([...times, ['Test', test] as const].sort(byName))
}
