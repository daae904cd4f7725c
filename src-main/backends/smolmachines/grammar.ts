import type { SmolFeatures } from './features.ts'

/** Where a machine comes from. */
export type MachineSource =
  | { readonly kind: 'image'; readonly reference: string }
  /** A docker-save archive or a folder of this machine, absolute. */
  | { readonly kind: 'archive'; readonly path: string }
  /** A `.smolmachine`, absolute. */
  | { readonly kind: 'pack'; readonly path: string }
  /** A `.smolcheckpoint`, absolute: memory and sizes come along. */
  | { readonly kind: 'checkpoint'; readonly path: string }

export interface MachineSpec {
  readonly name: string
  readonly source: MachineSource
  readonly cpus: number
  readonly memoryMib: number
  readonly network: boolean
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[]
  readonly user: string | null
  readonly labels: Readonly<Record<string, string>>
}

/** What smolvm itself takes when nothing is said. */
export const DEFAULT_CPUS = 4
export const DEFAULT_MEMORY_MIB = 8192

/** The name as this version takes it in `create`, `delete`, `update` and `data-dir`. */
function named(features: SmolFeatures, name: string): string[] {
  return features.hasNameFlag ? ['--name', name] : [name]
}

/** Pure: `machine create` in the words of a version. Environment and command are never part of it. */
export function createArgs(features: SmolFeatures, spec: MachineSpec): string[] {
  const labels = features.labels ? Object.entries(spec.labels) : []
  return [
    'machine',
    'create',
    ...named(features, spec.name),
    ...sourceArgs(spec),
    ...(spec.network ? ['--net'] : []),
    // A restored checkpoint finds the network card that it knows only when the kind was named at the beginning.
    ...(spec.network && features.netBackend && features.checkpoint ? ['--net-backend', 'virtio-net'] : []),
    ...spec.mounts.flatMap(({ source, target, readOnly }) => [
      '-v',
      `${source}:${target}${readOnly ? ':ro' : ''}`,
    ]),
    ...(spec.user !== null && features.createUser ? ['--user', spec.user] : []),
    ...labels.flatMap(([key, value]) => ['--label', `${key}=${value}`]),
  ]
}

function sourceArgs({ source, cpus, memoryMib }: MachineSpec): string[] {
  const sizes = ['--cpus', String(cpus), '--mem', String(memoryMib)]
  switch (source.kind) {
    case 'image':
      return ['--image', source.reference, ...sizes]
    case 'archive':
      return ['--image', source.path, ...sizes]
    case 'pack':
      return ['--from', source.path, ...sizes]
    case 'checkpoint':
      return ['--from', source.path]
  }
}

export const startArgs = (name: string): string[] => ['machine', 'start', '--name', name]
export const stopArgs = (name: string): string[] => ['machine', 'stop', '--name', name]
export const listArgs: readonly string[] = ['machine', 'ls', '--json']

/** Never without `-f`: smolvm would ask, take silence for no, and end with 0. Pure. */
export function deleteArgs(features: SmolFeatures, name: string): string[] {
  return ['machine', 'delete', ...named(features, name), '-f']
}

export function withoutNetworkArgs(features: SmolFeatures, name: string): string[] {
  return ['machine', 'update', ...named(features, name), '--no-net']
}

export function dataDirArgs(features: SmolFeatures, name: string): string[] {
  return ['machine', 'data-dir', ...named(features, name)]
}

export interface ExecOptions {
  /** Where the version has it (`execUser`). */
  readonly user?: string
  readonly workdir?: string | null
  /** Plain values only: they are visible to every user of this machine. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: boolean
  readonly tty?: boolean
  /** Output as it comes; otherwise it is held back until the end. */
  readonly stream?: boolean
  readonly timeoutSeconds?: number
}

/** Pure: `machine exec`; it has no `-n`. */
export function execArgs(name: string, argv: readonly string[], options: ExecOptions = {}): string[] {
  return [
    'machine',
    'exec',
    '--name',
    name,
    ...(options.user ? ['--user', options.user] : []),
    ...(options.workdir ? ['-w', options.workdir] : []),
    ...Object.entries(options.env ?? {}).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...(options.timeoutSeconds ? ['--timeout', `${options.timeoutSeconds}s`] : []),
    ...(options.stdin ? ['-i'] : []),
    ...(options.tty ? ['-t'] : []),
    ...(options.stream ? ['--stream'] : []),
    '--',
    ...argv,
  ]
}
