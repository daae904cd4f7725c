import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ContainerError } from './errors.ts'
import type { ContainerRecord, Mount } from './record.ts'

const invalid = (message: string) => new ContainerError('invalidArgument', message)

/** Swift's `split`: empty parts are left out, and after `maxSplits` parts the remainder stays whole. */
export function swiftSplit(text: string, separator: string, maxSplits: number): readonly string[] {
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== separator) continue
    if (at > from) parts.push(text.slice(from, at))
    const isNew = at > from
    from = at + 1
    if (isNew && parts.length === maxSplits) break
  }
  if (from < text.length) parts.push(text.slice(from))
  return parts
}

/** Labels, with the trap of the tool: a value that holds `=` is refused or loses it. */
export function parseLabels(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const parts = swiftSplit(label, '=', 2)
      if (parts.length < 1 || parts.length > 2) throw invalid(`invalid label format ${label}`)
      return [parts[0], parts[1] ?? '']
    }),
  )
}

const UNITS: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4, P: 5 }
const MIB = 1024 * 1024

/** `512M`, `1G`, …; whole MiB, at least 200 of them. */
export function parseMemory(text: string): number {
  const match = /^(\d+)\s*([KMGTP]?)(?:I?B)?$/i.exec(text)
  if (!match) throw invalid(`invalid memory value: ${text}`)
  const unit = UNITS[(match[2] ?? '').toUpperCase()] ?? 0
  const bytes = Math.floor((Number(match[1]) * 1024 ** unit) / MIB) * MIB
  if (bytes < 200 * MIB) throw invalid(`minimum memory amount allowed is 200 MiB (got ${bytes} bytes)`)
  return bytes
}

function bind(source: string, destination: string, options: readonly string[]): Mount {
  if (!destination.startsWith('/'))
    throw invalid(`mount destination '${destination}' must be an absolute path`)
  const path = resolve(source)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw invalid(`path '${source}' does not exist`)
  if (!stat.isDirectory()) throw invalid(`path '${source}' is not a directory`)
  return { type: 'virtiofs', source: path, destination, readOnly: options.includes('ro') }
}

/** `SRC:DST[:ro]`. Single files can't be bound. */
export function parseVolume(text: string): Mount {
  const parts = text.split(':')
  const [source = '', destination = '', options = ''] = parts
  if (parts.length < 2 || parts.length > 3 || source === '' || destination === '')
    throw invalid(`invalid volume format ${text}`)
  const flags = options === '' ? [] : options.split(',')
  if (flags.some((flag) => flag !== 'ro' && flag !== 'rw')) throw invalid(`invalid volume options ${options}`)
  if (!source.includes('/') && source !== '.')
    throw new ContainerError('notFound', `volume '${source}' not found`)
  return bind(source, destination, flags)
}

/** `type=bind,source=…,target=…,readonly`. */
export function parseMount(text: string): Mount {
  const found: Record<string, string> = {}
  for (const part of text.split(',')) {
    const equals = part.indexOf('=')
    const key = equals < 0 ? part : part.slice(0, equals)
    if (
      !['type', 'source', 'src', 'target', 'destination', 'dst', 'readonly', 'ro', 'size', 'mode'].includes(
        key,
      )
    )
      throw invalid(`unknown directive ${key} when parsing mount ${text}`)
    found[key] = equals < 0 ? '' : part.slice(equals + 1)
  }
  const target = found.target ?? found.destination ?? found.dst ?? ''
  const source = found.source ?? found.src ?? ''
  const isReadOnly = 'readonly' in found || 'ro' in found
  if (found.type === 'tmpfs') return tmpfs(target)
  if (found.type !== 'bind' && found.type !== 'virtiofs')
    throw invalid(`invalid mount type ${found.type ?? ''}`)
  return bind(source, target, isReadOnly ? ['ro'] : [])
}

export function tmpfs(target: string): Mount {
  if (!target.startsWith('/')) throw invalid(`mount destination '${target}' must be an absolute path`)
  return { type: 'tmpfs', source: 'tmpfs', destination: target, readOnly: false }
}

/** `[ip:]host:container[/proto]`. */
export function parsePort(text: string): ContainerRecord['ports'][number] {
  const match = /^(?:(\d+\.\d+\.\d+\.\d+):)?(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(text)
  if (!match) throw invalid(`invalid publish value: ${text}`)
  return {
    hostAddress: match[1] ?? '0.0.0.0',
    hostPort: Number(match[2]),
    containerPort: Number(match[3]),
    proto: match[4] ?? 'tcp',
  }
}

/** Lines of later sources win over earlier ones of the same name; the first place in the order stays. */
export function mergeEnv(...sources: readonly (readonly string[])[]): readonly string[] {
  const merged = new Map<string, string>()
  for (const line of sources.flat()) merged.set(line.split('=', 1)[0] ?? '', line)
  return [...merged.values()]
}

/** `-e K=V`, or `-e K`, which takes the caller's value and is dropped without one. */
export function parseEnv(lines: readonly string[], callers: NodeJS.ProcessEnv): readonly string[] {
  return lines.flatMap((line) => {
    if (line.includes('=')) return [line]
    const value = callers[line]
    return value === undefined ? [] : [`${line}=${value}`]
  })
}

/** The lines of an `--env-file`. */
export function parseEnvFile(text: string, callers: NodeJS.ProcessEnv): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  return parseEnv(lines, callers)
}

const SIGNALS = [
  'HUP',
  'INT',
  'QUIT',
  'KILL',
  'USR1',
  'USR2',
  'TERM',
  'STOP',
  'CONT',
  'WINCH',
  'ALRM',
  'PIPE',
  'CHLD',
]
const NUMBERS: Readonly<Record<string, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  9: 'KILL',
  10: 'USR1',
  12: 'USR2',
  15: 'TERM',
}

/** `TERM`, `SIGTERM` or `15`. */
export function parseSignal(text: string): NodeJS.Signals {
  const name = NUMBERS[text] ?? text.toUpperCase().replace(/^SIG/, '')
  if (!SIGNALS.includes(name)) throw invalid(`invalid signal: ${text}`)
  return `SIG${name}` as NodeJS.Signals
}
