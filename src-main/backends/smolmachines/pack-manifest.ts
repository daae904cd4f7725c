import type { Platform, RunConfig } from '../portable.ts'
import { damaged } from './pack-footer.ts'

/** What a pack or a checkpoint says of itself. */
export interface PackManifest {
  /** A checkpoint has the memory of a machine that ran; a pack only its disks. */
  readonly kind: 'pack' | 'checkpoint'
  readonly mode: string
  readonly image: string | null
  readonly platform: Platform
  readonly config: RunConfig
  readonly cpus: number | null
  readonly memoryMib: number | null
  readonly hasNetwork: boolean
  /** Names only. A pack that has any can't be restored. */
  readonly secretNames: readonly string[]
  readonly smolvmVersion: string
}

/**
 * Reads a manifest tolerantly: newer versions may add anything. Pure.
 * @throws BottleError `artifact-invalid` when it is no JSON object
 */
export function parseManifest(text: string): PackManifest {
  const value = objectOf(text)
  const image = textOf(value.image)
  return {
    kind: isRecord(value.checkpoint) || value.checkpoint === true ? 'checkpoint' : 'pack',
    mode: textOf(value.mode) || (image ? 'container' : 'vm'),
    image: image || null,
    platform: parsePlatform(textOf(value.platform) || textOf(value.host_platform)),
    config: configOf(value),
    cpus: numberOf(value.cpus),
    memoryMib: numberOf(value.mem),
    hasNetwork: value.network === true,
    secretNames: secretNames(value.secret_refs),
    smolvmVersion: textOf(value.smolvm_version),
  }
}

/** `linux/arm64/v8` as its parts; the names of the tool's own language are told in the image's. Pure. */
export function parsePlatform(text: string): Platform {
  const [os = '', machine = '', variant] = text.split('/')
  const architecture = ARCHITECTURES[machine] ?? machine
  return { os: os || 'linux', architecture, ...(variant ? { variant } : {}) }
}

const ARCHITECTURES: Readonly<Record<string, string>> = { aarch64: 'arm64', x86_64: 'amd64', x64: 'amd64' }

function configOf(value: Readonly<Record<string, unknown>>): RunConfig {
  const entrypoint = textsOf(value.entrypoint)
  const cmd = textsOf(value.cmd)
  const env = environmentOf(value.env)
  const workdir = textOf(value.workdir)
  const user = textOf(value.user)
  return {
    ...(cmd.length > 0 ? { Cmd: cmd } : {}),
    ...(entrypoint.length > 0 ? { Entrypoint: entrypoint } : {}),
    ...(env.length > 0 ? { Env: env } : {}),
    ...(user ? { User: user } : {}),
    ...(workdir ? { WorkingDir: workdir } : {}),
  }
}

/** `K=V` texts, pairs, or an object: the form differs between versions. */
function environmentOf(value: unknown): readonly string[] {
  if (isRecord(value)) {
    return Object.entries(value).flatMap(([name, text]) =>
      typeof text === 'string' ? [`${name}=${text}`] : [],
    )
  }
  return (Array.isArray(value) ? value : []).flatMap((item: unknown) => {
    if (typeof item === 'string') return [item]
    if (Array.isArray(item) && item.length === 2) return [`${item[0]}=${item[1]}`]
    return isRecord(item) && typeof item.name === 'string' ? [`${item.name}=${textOf(item.value)}`] : []
  })
}

function secretNames(value: unknown): readonly string[] {
  if (isRecord(value)) return Object.keys(value)
  return (Array.isArray(value) ? value : []).map((item: unknown) =>
    typeof item === 'string' ? item : isRecord(item) ? textOf(item.name) || textOf(item.key) : String(item),
  )
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    throw damaged('its manifest is no JSON')
  }
  throw damaged('its manifest is no JSON object')
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
const textsOf = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : (Array.isArray(value) ? value : []).filter((item): item is string => typeof item === 'string')
