import { bottleError } from '../../system/bottle-error.ts'

/** One machine as `machine ls --json` tells it, in every version's shape. */
export interface Machine {
  readonly name: string
  /** `created running stopped failed unreachable frozen paused`, or what a newer version says. */
  readonly state: string
  /** ISO 8601; null where the version does not tell a time. */
  readonly createdAt: string | null
  readonly cpus: number | null
  readonly memoryMib: number | null
  /** Null for a bare machine and for one made from a pack. */
  readonly image: string | null
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly mounts: number
  readonly ports: number
  readonly hasNetwork: boolean
  readonly gpu: boolean
  readonly cuda: boolean
  readonly forkable: boolean
  readonly isEphemeral: boolean
  /** Null where the version knows none. */
  readonly labels: Readonly<Record<string, string>> | null
}

/**
 * Reads `machine ls --json`. Pure.
 * @throws BottleError `engine-failed` for anything but a list of machines
 */
export function parseMachines(text: string): readonly Machine[] {
  const rows = parse(text)
  if (!Array.isArray(rows)) throw unreadable(text)
  return rows.flatMap((row: unknown) => {
    const machine = isRecord(row) ? toMachine(row) : null
    return machine ? [machine] : []
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable(text)
  }
}

function unreadable(text: string): Error {
  return bottleError('engine-failed', 'smolvm answered with something that is no list of machines.', {
    detail: text.slice(0, 500),
  })
}

function toMachine(row: Readonly<Record<string, unknown>>): Machine | null {
  const name = textOf(row.name)
  if (!name) return null
  return {
    name,
    state: textOf(row.state) || 'unknown',
    createdAt: timeOf(row.created_at),
    cpus: numberOf(row.cpus),
    memoryMib: numberOf(row.memory_mib),
    image: textOf(row.image) || null,
    entrypoint: textsOf(row.entrypoint),
    cmd: textsOf(row.cmd),
    mounts: countOf(row.mounts),
    ports: countOf(row.ports),
    hasNetwork: row.network === true,
    gpu: row.gpu === true,
    cuda: row.cuda === true,
    forkable: row.forkable === true,
    isEphemeral: row.ephemeral === true,
    labels: isRecord(row.labels) ? labelsOf(row.labels) : null,
  }
}

/** Seconds since the epoch from 1.0 on, text before. */
function timeOf(value: unknown): string | null {
  const date = typeof value === 'number' ? new Date(value * 1000) : new Date(textOf(value) || Number.NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** A count in every version seen; newer ones may list the things themselves. */
function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : (numberOf(value) ?? 0)
}

function labelsOf(value: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, textOf(text)]))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
