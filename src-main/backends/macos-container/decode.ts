/** One container as `list` and `inspect` tell it, in either generation of their JSON. */
export interface ContainerEntry {
  /** The name too: the engine knows no other. */
  readonly id: string
  readonly state: 'running' | 'stopped' | 'stopping' | 'unknown'
  /** ISO 8601; null when it never ran, or when the release does not tell. */
  readonly startedAt: string | null
  readonly createdAt: string | null
  readonly image: { readonly reference: string; readonly digest: string }
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: readonly MountEntry[]
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string }
  readonly hasTerminal: boolean
  readonly workdir: string
}

export interface MountEntry {
  readonly type: 'bind' | 'tmpfs' | 'volume' | 'other'
  readonly source: string
  readonly destination: string
}

type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce((found, key) => (isJson(found) ? found[key] : undefined), value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Dates of the older generation count seconds from here. */
const SWIFT_EPOCH_MS = Date.UTC(2001, 0, 1)

/** Pure: the answer of `list --format json` or `inspect`; entries without an id are left out. */
export function decodeContainers(answer: unknown): readonly ContainerEntry[] {
  if (!Array.isArray(answer)) return []
  return answer.flatMap((entry) => {
    const found = decodeEntry(entry)
    return found ? [found] : []
  })
}

function decodeEntry(entry: unknown): ContainerEntry | null {
  const config = at(entry, 'configuration')
  const id = textOf(at(entry, 'id')) || textOf(at(config, 'id'))
  if (!id) return null
  const status = at(entry, 'status')
  const variant = textOf(at(config, 'platform', 'variant'))
  return {
    id,
    state: stateOf(textOf(status) || textOf(at(status, 'state'))),
    startedAt: dateOf(at(status, 'startedDate') ?? at(entry, 'startedDate')),
    createdAt: dateOf(at(config, 'creationDate') ?? at(entry, 'creationDate')),
    image: {
      reference: textOf(at(config, 'image', 'reference')),
      digest: textOf(at(config, 'image', 'descriptor', 'digest')),
    },
    labels: labelsOf(at(config, 'labels')),
    mounts: mountsOf(at(config, 'mounts')),
    platform: {
      os: textOf(at(config, 'platform', 'os')) || 'linux',
      architecture: textOf(at(config, 'platform', 'architecture')),
      ...(variant ? { variant } : {}),
    },
    hasTerminal: at(config, 'initProcess', 'terminal') === true,
    workdir: textOf(at(config, 'initProcess', 'workingDirectory')),
  }
}

function stateOf(state: string): ContainerEntry['state'] {
  return state === 'running' || state === 'stopped' || state === 'stopping' ? state : 'unknown'
}

/** Pure: a date of either generation as ISO 8601; null for anything else. */
export function dateOf(value: unknown): string | null {
  const at = typeof value === 'number' ? SWIFT_EPOCH_MS + value * 1000 : Date.parse(textOf(value))
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isJson(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

function mountsOf(value: unknown): readonly MountEntry[] {
  if (!Array.isArray(value)) return []
  return value.map((mount) => {
    const type = at(mount, 'type')
    const kinds = isJson(type) ? Object.keys(type) : [textOf(type)]
    const kind = kinds.includes('virtiofs')
      ? 'bind'
      : (kinds.find((one): one is 'tmpfs' | 'volume' => one === 'tmpfs' || one === 'volume') ?? 'other')
    return {
      type: kind,
      source: textOf(at(mount, 'source')),
      destination: textOf(at(mount, 'destination')),
    }
  })
}
