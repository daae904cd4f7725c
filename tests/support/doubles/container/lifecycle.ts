import { existsSync, renameSync, rmSync } from 'node:fs'
import { newId } from '../lib/digest.ts'
import { isGuestRunning, signalGuest, stopGuest } from '../lib/guest.ts'
import { self } from '../lib/process-id.ts'
import { writeJson } from '../lib/state.ts'
import { optionOf, type Parsed } from './arguments.ts'
import { attachTo } from './attach.ts'
import type { Engine } from './engine.ts'
import { AggregateContainerError, ContainerError } from './errors.ts'
import { parseSignal } from './parse-values.ts'
import {
  allContainers,
  type ContainerRecord,
  containerPath,
  findContainer,
  getContainer,
  guestOf,
  stateOf,
  stopperPath,
} from './record.ts'
import { startContainer } from './run-guest.ts'

const notFound = (id: string) => new ContainerError('notFound', `container with ID ${id} not found`)

/** Checks the ids of a verb that takes many, before the service is asked. */
function checkIds(parsed: Parsed): void {
  const isAll = parsed.flags.has('all')
  if (parsed.rest.length === 0 && !isAll)
    throw new ContainerError('invalidArgument', 'no containers specified and --all not supplied')
  if (parsed.rest.length > 0 && isAll)
    throw new ContainerError(
      'invalidArgument',
      'explicitly supplied container IDs conflict with the --all flag',
    )
}

/** Does something to each id and goes on after a failure; every id that worked is printed. */
async function forEach(
  engine: Engine,
  ids: readonly string[],
  failure: string,
  act: (id: string) => void | Promise<void>,
): Promise<void> {
  const errors: ContainerError[] = []
  for (const id of new Set(ids)) {
    try {
      await act(id)
      engine.print(id)
    } catch (error) {
      if (!(error instanceof ContainerError)) throw error
      errors.push(new ContainerError('internalError', failure, error))
    }
  }
  if (errors.length > 0) throw new AggregateContainerError(errors)
}

export async function stop(engine: Engine, parsed: Parsed): Promise<void> {
  checkIds(parsed)
  const signal = optionOf(parsed, 'signal')
  if (signal !== undefined) parseSignal(signal)
  engine.needService()
  const ids = parsed.flags.has('all')
    ? allContainers(engine).flatMap(({ id }) => (stateOf(engine, id) === 'running' ? [id] : []))
    : parsed.rest
  const seconds = Number(optionOf(parsed, 'time') ?? 5)
  await forEach(engine, ids, 'failed to stop container', (id) => {
    const record = findContainer(engine, id)
    if (!record) throw notFound(id)
    stopContainer(engine, record, seconds, signal)
  })
}

/** Ends a container politely first. One that is stopped is fine. */
export function stopContainer(
  engine: Engine,
  record: ContainerRecord,
  seconds: number,
  signal?: string,
): void {
  const guest = guestOf(engine, record.id)
  if (!isGuestRunning(guest)) return
  writeJson(stopperPath(engine, record.id), self())
  try {
    stopGuest(guest, { signal: parseSignal(signal ?? record.stopSignal ?? 'TERM'), graceMs: seconds * 1000 })
  } finally {
    rmSync(stopperPath(engine, record.id), { force: true })
  }
}

export async function kill(engine: Engine, parsed: Parsed): Promise<void> {
  checkIds(parsed)
  const signal = parseSignal(optionOf(parsed, 'signal') ?? 'KILL')
  engine.needService()
  const ids = parsed.flags.has('all')
    ? allContainers(engine).flatMap(({ id }) => (stateOf(engine, id) === 'running' ? [id] : []))
    : parsed.rest
  await forEach(engine, ids, 'failed to kill container', (id) => {
    if (!findContainer(engine, id)) throw notFound(id)
    const guest = guestOf(engine, id)
    if (!isGuestRunning(guest)) throw new ContainerError('invalidState', `container ${id} is not running`)
    if (signal === 'SIGKILL') stopGuest(guest, { graceMs: 0 })
    else signalGuest(guest, signal)
  })
}

export async function remove(engine: Engine, parsed: Parsed): Promise<void> {
  checkIds(parsed)
  engine.needService()
  const isForced = parsed.flags.has('force')
  const ids = parsed.flags.has('all')
    ? allContainers(engine).flatMap(({ id }) => (isForced || stateOf(engine, id) === 'stopped' ? [id] : []))
    : parsed.rest
  await forEach(engine, ids, 'failed to delete container', (id) => {
    const record = findContainer(engine, id)
    if (!record) throw notFound(id)
    const state = stateOf(engine, id)
    if (state === 'stopping' || (state === 'running' && !isForced))
      throw new ContainerError('invalidState', `container ${id} is ${state} and can not be deleted`)
    if (state === 'running') stopGuest(guestOf(engine, id), { graceMs: 0 })
    removeContainer(engine, id)
  })
}

/** Vanishes at once for every list; its files follow. */
export function removeContainer(engine: Engine, id: string): void {
  const trash = engine.path('trash', newId())
  try {
    renameSync(containerPath(engine, id), trash)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(id)
    throw error
  }
  rmSync(trash, { recursive: true, force: true })
}

export function prune(engine: Engine): void {
  engine.needService()
  for (const { id } of allContainers(engine)) {
    if (stateOf(engine, id) !== 'stopped') continue
    removeContainer(engine, id)
    engine.print(id)
  }
}

export async function start(engine: Engine, parsed: Parsed): Promise<number> {
  engine.needService()
  const id = parsed.positional[0] ?? ''
  const record = getContainer(engine, id)
  const isAttached = parsed.flags.has('attach') || parsed.flags.has('interactive')
  const state = stateOf(engine, id)
  if (state !== 'stopped') {
    if (isAttached)
      throw new ContainerError(
        'invalidArgument',
        'attach is currently unsupported on already running containers',
      )
    engine.print(id)
    return 0
  }
  const missing = record.mounts.find(({ type, source }) => type !== 'tmpfs' && !existsSync(source))
  if (missing)
    throw new ContainerError('invalidState', `mount source path '${missing.source}' does not exist`)
  if (isAttached)
    return attachTo(engine, { ...record, interactive: record.interactive && parsed.flags.has('interactive') })
  await startContainer(engine, record, 'log')
  engine.print(id)
  return 0
}
