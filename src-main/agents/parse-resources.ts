import type { BottleLayer } from './definitions.ts'
import { readFields, readText } from './fields.ts'
import type { Field } from './frontmatter.ts'
import { quoted, type Report } from './problems.ts'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}
/** Docker's own least. */
const MEMORY_MIN = 6 * 2 ** 20

/** `cpus` as a number above 0, `memory` in bytes from `512m`, `2g`, `1.5 GiB` or a plain number of bytes. */
export function readResources(field: Field | undefined, report: Report): BottleLayer['resources'] {
  if (!field) return {}
  const fields = readFields(field.value, '`resources`', ['cpus', 'memory'], report)
  const cpus = readCpus(fields.get('cpus'), report)
  const memoryBytes = readMemory(fields.get('memory'), report)
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  }
}

function readCpus(field: Field | undefined, report: Report): number | undefined {
  const text = readText(field, report)
  if (field === undefined || text === undefined) return undefined
  const cpus = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (cpus >= 0.01 && cpus <= 1024) return cpus
  report(field.line, `\`cpus\` can't be ${quoted(text)}.`, 'Write a number such as 2 or 0.5.')
  return undefined
}

function readMemory(field: Field | undefined, report: Report): number | undefined {
  const text = readText(field, report)
  if (field === undefined || text === undefined) return undefined
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim())
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '']
  const bytes = match && unit !== undefined ? Math.floor(Number(match[1]) * unit) : Number.NaN
  if (bytes >= MEMORY_MIN && bytes <= Number.MAX_SAFE_INTEGER) return bytes
  const isSmall = bytes < MEMORY_MIN
  report(
    field.line,
    `\`memory\` can't be ${quoted(text)}.`,
    isSmall ? 'The least is 6m.' : 'Write bytes, or a number with k, m or g, such as 512m.',
  )
  return undefined
}
