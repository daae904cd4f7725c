import { existsSync, readdirSync } from 'node:fs'
import { type Guest, type GuestMount, isGuestRunning } from '../lib/guest.ts'
import { isAlive, type ProcessId } from '../lib/process-id.ts'
import { readJson } from '../lib/state.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import type { Descriptor, Platform } from './image-store.ts'
import { isoDate, referenceDate } from './swift-json.ts'

export type User =
  | { readonly id: { readonly uid: number; readonly gid: number } }
  | { readonly raw: { readonly userString: string } }

export interface Mount {
  readonly type: 'virtiofs' | 'tmpfs'
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}

/** A container as the engine keeps it, before its JSON. */
export interface ContainerRecord {
  readonly id: string
  readonly createdAt: number
  readonly image: { readonly reference: string; readonly descriptor: Descriptor }
  readonly stopSignal: string | null
  readonly executable: string
  readonly arguments: readonly string[]
  readonly environment: readonly string[]
  readonly user: User
  readonly workingDirectory: string
  readonly terminal: boolean
  readonly interactive: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
  readonly platform: Platform
  readonly ports: readonly {
    readonly hostAddress: string
    readonly hostPort: number
    readonly containerPort: number
    readonly proto: string
  }[]
  readonly network: boolean
  readonly readOnly: boolean
  readonly useInit: boolean
  readonly cpus: number
  readonly memoryInBytes: number
  readonly removeAtEnd: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
}

export type State = 'stopped' | 'running' | 'stopping'

export const containerPath = (engine: Engine, id: string, ...parts: readonly string[]): string =>
  engine.path('containers', id, ...parts)

/** The guest of a container. */
export function guestOf(engine: Engine, id: string): Guest {
  return {
    root: containerPath(engine, id, 'rootfs'),
    runDir: containerPath(engine, id, 'run'),
    devDir: engine.path('dev'),
  }
}

export const recordPath = (engine: Engine, id: string): string => containerPath(engine, id, 'config.json')

/** The container with exactly this id, or null. */
export function findContainer(engine: Engine, id: string): ContainerRecord | null {
  if (id === '' || id.includes('/') || id.startsWith('.')) return null
  return readJson<ContainerRecord | null>(recordPath(engine, id), null)
}

/** @throws ContainerError in the words of the verbs that take one id */
export function getContainer(engine: Engine, id: string): ContainerRecord {
  const found = findContainer(engine, id)
  if (!found) throw new ContainerError('notFound', `get failed: container ${id} not found`)
  return found
}

export function allContainers(engine: Engine): readonly ContainerRecord[] {
  return readdirSync(engine.path('containers'))
    .toSorted()
    .flatMap((id) => findContainer(engine, id) ?? [])
}

/** A verb that is ending a container leaves its own name here. */
export const stopperPath = (engine: Engine, id: string): string => containerPath(engine, id, 'stopping.json')

export function stateOf(engine: Engine, id: string): State {
  if (!isGuestRunning(guestOf(engine, id))) return 'stopped'
  const stopper = existsSync(stopperPath(engine, id))
    ? readJson<ProcessId | null>(stopperPath(engine, id), null)
    : null
  return stopper && isAlive(stopper) ? 'stopping' : 'running'
}

export const startedPath = (engine: Engine, id: string): string => containerPath(engine, id, 'started.json')

/** The mounts of a record as the guest's. */
export const guestMounts = (record: ContainerRecord): readonly GuestMount[] =>
  record.mounts.map((mount) =>
    mount.type === 'tmpfs'
      ? { type: 'tmpfs', target: mount.destination }
      : { type: 'bind', source: mount.source, target: mount.destination, readOnly: mount.readOnly },
  )

function configurationJson(record: ContainerRecord, nested: boolean): object {
  const oneImage = { reference: record.image.reference, descriptor: record.image.descriptor }
  return {
    capAdd: record.capAdd,
    capDrop: record.capDrop,
    creationDate: (nested ? isoDate : referenceDate)(record.createdAt),
    dns: { nameservers: ['1.1.1.1'], options: [], searchDomains: [] },
    id: record.id,
    image: oneImage,
    initProcess: {
      arguments: record.arguments,
      environment: record.environment,
      executable: record.executable,
      rlimits: [],
      supplementalGroups: [],
      terminal: record.terminal,
      user: record.user,
      workingDirectory: record.workingDirectory,
    },
    labels: record.labels,
    mounts: record.mounts.map((mount) => ({
      destination: mount.destination,
      options: mount.readOnly ? ['ro'] : [],
      source: mount.source,
      type: { [mount.type]: {} },
    })),
    networks: record.network ? [{ network: 'default', options: { hostname: record.id } }] : [],
    platform: record.platform,
    publishedPorts: record.ports.map((port) => ({ ...port, count: 1 })),
    publishedSockets: [],
    readOnly: record.readOnly,
    resources: { cpuOverhead: 1, cpus: record.cpus, memoryInBytes: record.memoryInBytes },
    rosetta: false,
    runtimeHandler: 'container-runtime-linux',
    ssh: false,
    sysctls: {},
    useInit: record.useInit,
    virtualization: false,
  }
}

/** An address that stays the same for a container. */
function attachmentOf(record: ContainerRecord): object {
  const number =
    [...record.id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 250, 7) + 3
  return {
    hostname: record.id,
    ipv4Address: `192.168.64.${number}/24`,
    ipv4Gateway: '192.168.64.1',
    macAddress: `02:42:c0:a8:40:${number.toString(16).padStart(2, '0')}`,
    network: 'default',
  }
}

/** The entry of `list` and `inspect`, in the shape of the version. */
export function entryJson(engine: Engine, record: ContainerRecord): object {
  const state = stateOf(engine, record.id)
  const isUp = state !== 'stopped'
  const networks = isUp && record.network ? [attachmentOf(record)] : []
  const at = isUp ? readJson<number | null>(startedPath(engine, record.id), null) : null
  const configuration = configurationJson(record, engine.gates.nestedJson)
  if (!engine.gates.nestedJson)
    return { status: state, configuration, networks, startedDate: at === null ? null : referenceDate(at) }
  return {
    id: record.id,
    configuration,
    status: { state, networks, startedDate: at === null ? null : isoDate(at) },
  }
}
