import type { HealthCheck } from './definitions.ts'
import { isEmpty, readFields, readText, readTexts } from './fields.ts'
import type { Field } from './frontmatter.ts'
import { quoted, type Report } from './problems.ts'

const TIMEOUT = 60
const TIMEOUT_MAX = 3600

/** `health: {command: [test, -f, /workspace/ready], timeout: 60}`; null when it is not there or wrong. */
export function readHealth(field: Field | undefined, report: Report): HealthCheck | null {
  if (!field || isEmpty(field.value)) return null
  const fields = readFields(field.value, '`health`', ['command', 'timeout'], report)
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
