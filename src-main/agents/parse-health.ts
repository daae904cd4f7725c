import type { HealthCheck } from './definitions.ts'
import {
  type Fields,
  isEmpty,
  readBoolean,
  readChoice,
  readFields,
  readNumber,
  readText,
  readTexts,
} from './fields.ts'
import type { Field } from './frontmatter.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from './lifecycle.ts'
import { quoted, type Report } from './problems.ts'

const TIMEOUT = 60
const TIMEOUT_MAX = 3600
const AGENT_KEYS = ['command', 'timeout', 'enabled', 'interval', 'stuck', 'method'] as const
/** How other programs look at an agent; Icebox always looks at the agent itself. */
const METHODS = ['multiplexer-alive', 'screen-alive', 'a2a-card'] as const

export interface AgentHealthKeys {
  /** Null without a `command`. */
  readonly check: HealthCheck | null
  readonly watch: Lifecycle['health']
  readonly method: (typeof METHODS)[number] | null
}

/** `health: {command: [test, -f, /workspace/ready], timeout: 60}`; null when it is not there or wrong. */
export function readHealth(field: Field | undefined, report: Report): HealthCheck | null {
  if (!field || isEmpty(field.value)) return null
  const fields = readFields(field.value, '`health`', ['command', 'timeout'], report)
  return readCheck(field, fields, report)
}

/**
 * An agent's `health`: the check of a restored snapshot, and how its life is looked at while it runs. In agent YAML it is
 * always the latter, and a `command` may come with it.
 */
export function readAgentHealth(field: Field | undefined, isYaml: boolean, report: Report): AgentHealthKeys {
  const defaults = DEFAULT_LIFECYCLE.health
  if (!field || isEmpty(field.value)) return { check: null, watch: defaults, method: null }
  const fields = readFields(field.value, '`health`', AGENT_KEYS, report)
  const isWatch = isYaml || ['enabled', 'interval', 'stuck', 'method'].some((key) => fields.has(key))
  const check = fields.has('command') || !isWatch ? readCheck(field, fields, report) : null
  if (!isWatch) return { check, watch: defaults, method: null }
  const seconds = (key: string): number | undefined =>
    readNumber(fields.get(key), { min: 1, max: 86_400 }, report)
  return {
    check,
    watch: {
      enabled: readBoolean(fields.get('enabled'), report) ?? defaults.enabled,
      intervalSeconds: seconds('interval') ?? defaults.intervalSeconds,
      // Reported once, by the check, where there is one.
      timeoutSeconds:
        readNumber(fields.get('timeout'), { min: 1, max: TIMEOUT_MAX }, check ? () => {} : report) ??
        defaults.timeoutSeconds,
      stuckSeconds: seconds('stuck') ?? defaults.stuckSeconds,
    },
    method: readChoice(fields.get('method'), METHODS, report) ?? null,
  }
}

function readCheck(field: Field, fields: Fields, report: Report): HealthCheck | null {
  const given = fields.get('command')
  if (given?.value.kind === 'scalar' && given.value.value !== null) {
    // A text would have to be taken apart as a shell does, and not every image has a shell.
    report(given.line, '`command` must be a list of arguments.', 'For example: [test, -f, /workspace/ready]')
    return null
  }
  const command = readTexts(given, report)?.map((item) => item.text)
  if (!command?.[0]) {
    report(given?.line ?? field.line, '`health` needs a `command` that names a program first.')
    return null
  }
  return { command, timeout: readTimeout(fields.get('timeout'), report) }
}
function readTimeout(field: Field | undefined, report: Report): number {
  const text = readText(field, report)
  if (field === undefined || text === undefined) return TIMEOUT
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= 1 && seconds <= TIMEOUT_MAX) return seconds
  report(field.line, `\`timeout\` can't be ${quoted(text)}.`, `Write seconds, from 1 to ${TIMEOUT_MAX}.`)
  return TIMEOUT
}
