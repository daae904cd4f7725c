import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stopGuest } from '../lib/guest.ts'
import { type Context, emit, guestOf, readLine, say, tell } from './context.ts'
import { environment, parseMount } from './create.ts'
import { agentFailure, configFailure, notFound } from './failure.ts'
import { machineJson } from './machine-json.ts'
import {
  allMachines,
  changeMachine,
  clonesOf,
  findMachine,
  forgetMachine,
  holdingMachine,
  type Machine,
  pidOf,
  stateOf,
  vmDirOf,
} from './machines.ts'
import { startMachine } from './start.ts'

/** The name that the call means, however this version takes it. */
export const nameOf = ({ call }: Context): string => call.one('name') ?? call.positional('NAME') ?? 'default'

/** The machine that the call names. @throws Failure */
export function namedMachine(context: Context): Machine {
  const machine = findMachine(context.dir, nameOf(context))
  if (!machine) throw notFound(nameOf(context))
  return machine
}

/** `machine stop`. @throws Failure */
export async function stopMachine(context: Context): Promise<void> {
  const name = nameOf(context)
  await holdingMachine(context.dir, name, async () => {
    const machine = namedMachine(context)
    const state = stateOf(context, machine)
    if (state === 'paused') throw agentFailure('stop', 'machine has saved execution; use resume or delete')
    if (state === 'frozen') refuseWithClones(context, name, 'stop')
    if (state !== 'running' && state !== 'frozen' && state !== 'unreachable') {
      stopGuest(guestOf(context.dir, vmDirOf(context.dir, name)), { graceMs: 0 })
      say(context, `Machine '${name}' is not running (state: ${state})`)
      return
    }
    say(context, `Stopping machine '${name}'...`)
    end(context, machine)
    context.strikes.atEnd()
    say(context, `Stopped machine: ${name}`)
  })
}

function refuseWithClones(context: Context, name: string, operation: string): void {
  const clones = clonesOf(context.dir, name).map((clone) => clone.name)
  if (clones.length === 0) return
  throw agentFailure(
    operation,
    `machine '${name}' is the fork base for ${clones.length} live clone(s) (${clones.join(', ')}); stop or delete the clones first`,
  )
}

function end(context: Context, machine: Machine): Machine {
  stopGuest(guestOf(context.dir, vmDirOf(context.dir, machine.name)), { graceMs: 0 })
  return changeMachine(context.dir, machine, { state: 'stopped' })
}

/** `machine delete`: without `--force` it asks, and no answer is no. @throws Failure */
export async function deleteMachine(context: Context): Promise<void> {
  const { call, dir } = context
  const name = nameOf(context)
  await holdingMachine(dir, name, async () => {
    const machine = namedMachine(context)
    const clones = clonesOf(dir, name)
    if (call.has('cascade')) {
      for (const clone of clones) {
        say(context, `Deleting dependent clone '${clone.name}' (cascade)...`)
        end(context, clone)
        forgetMachine(dir, clone.name)
      }
    } else if (clones.length > 0 && !call.has('force')) {
      const names = clones.map((clone) => clone.name).join(', ')
      throw agentFailure(
        'delete',
        `machine '${name}' is the fork base for ${clones.length} clone(s) (${names}); delete the clones first`,
      )
    }
    const state = stateOf(context, machine)
    const isUp = state === 'running' || state === 'unreachable' || state === 'frozen'
    if (isUp) say(context, `Stopping machine '${name}'...`)
    // It is stopped before the question is asked, whatever the answer will be.
    const now = isUp ? end(context, machine) : machine
    if (!call.has('force') && !call.has('cascade')) {
      emit(context, 2, Buffer.from(`Delete machine '${name}'? [y/N] `))
      const answer = (readLine() ?? '').trim().toLowerCase()
      if (answer !== 'y' && answer !== 'yes') {
        say(context, 'Cancelled')
        return
      }
    }
    if (existsSync(vmDirOf(dir, now.name))) say(context, `Cleaning up data directory for vm: ${name}`)
    stopGuest(guestOf(dir, vmDirOf(dir, name)), { graceMs: 0 })
    forgetMachine(dir, name)
    context.strikes.atEnd()
    say(context, `Deleted machine: ${name}`)
  })
}

/** `machine ls`. The table is for people only: long names are cut. */
export function listMachines(context: Context): void {
  const { call, dir, features } = context
  const machines = allMachines(dir)
  if (call.has('json')) {
    const rows = machines.map((machine) => jsonOf(context, machine))
    say(context, JSON.stringify(rows, null, 2))
    return
  }
  if (features.quiet && call.has('quiet')) {
    for (const { name } of machines) say(context, name)
    return
  }
  if (machines.length === 0) {
    say(context, 'No machines found')
    return
  }
  say(context, row(['NAME', 'STATE', 'CPUS', 'MEMORY', 'MOUNTS', 'PORTS', 'STORAGE', 'OVERLAY']))
  say(context, '-'.repeat(88))
  for (const machine of machines) {
    const name = machine.name.length > 18 ? `${machine.name.slice(0, 15)}...` : machine.name
    const sizes = [`${machine.storageGb ?? 20} GiB`, `${machine.overlayGb ?? 2} GiB`]
    const counts = [machine.mounts.length, machine.ports.length].map(String)
    say(
      context,
      row([name, stateOf(context, machine), String(machine.cpus), `${machine.mem} MiB`, ...counts, ...sizes]),
    )
  }
}

function row(cells: readonly string[]): string {
  const widths = [-20, -12, 5, 10, 7, 7, 8, 8]
  return cells
    .map((cell, at) =>
      (widths[at] ?? 0) < 0 ? cell.padEnd(-(widths[at] ?? 0)) : cell.padStart(widths[at] ?? 0),
    )
    .join(' ')
}

function jsonOf(context: Context, machine: Machine) {
  const state = stateOf(context, machine)
  const isUp = state === 'running' || state === 'unreachable' || state === 'frozen'
  return machineJson(machine, state, isUp ? pidOf(context.dir, machine.name) : null, context.features)
}

/** `machine status`. @throws Failure */
export function showStatus(context: Context): void {
  const name = nameOf(context)
  const machine = findMachine(context.dir, name)
  if (context.call.has('json')) {
    if (!machine) throw configFailure('machine status', `machine '${name}' not found`)
    say(context, JSON.stringify(jsonOf(context, machine), null, 2))
    return
  }
  if (!machine) {
    if (context.call.has('name')) throw notFound(name)
    say(context, `Machine '${name}': not running`)
    return
  }
  const state = stateOf(context, machine)
  const pid = state === 'running' ? ` (PID: ${pidOf(context.dir, name)})` : ''
  say(context, `Machine '${name}': ${state}${pid}`)
}

/** `machine data-dir`. @throws Failure */
export function showDataDir(context: Context): void {
  say(context, vmDirOf(context.dir, namedMachine(context).name))
}

/** `machine update`, which only a machine that doesn't run takes. @throws Failure */
export async function updateMachine(context: Context): Promise<void> {
  const { call, dir } = context
  const name = nameOf(context)
  await holdingMachine(dir, name, async () => {
    const machine = namedMachine(context)
    const state = stateOf(context, machine)
    if (state !== 'stopped' && state !== 'created')
      throw configFailure('update machine', `machine '${name}' is ${state}; stop it first`)
    const gone = new Set(call.all('remove-env'))
    const added = environment(context)
    const names = new Set(added.map((entry) => entry.split('=')[0]))
    const isKept = (entry: string) => !gone.has(entry.split('=')[0] ?? '') && !names.has(entry.split('=')[0])
    const removed = new Set(call.all('remove-volume').map((text) => text.split(':')[1]))
    const ports = new Set(call.all('remove-port'))
    const toggle = (on: string, off: string, before: boolean) =>
      call.has(on) ? true : call.has(off) ? false : before
    changeMachine(dir, machine, {
      cpus: Number(call.one('cpus') ?? machine.cpus),
      mem: Number(call.one('mem') ?? machine.mem),
      env: [...machine.env.filter(isKept), ...added],
      workdir: call.one('workdir') ?? machine.workdir,
      network: toggle('net', 'no-net', machine.network),
      gpu: toggle('gpu', 'no-gpu', machine.gpu),
      mounts: [
        ...machine.mounts.filter(({ target }) => !removed.has(target)),
        ...call.all('volume').map(parseMount),
      ],
      ports: [...machine.ports.filter((port) => !ports.has(port)), ...call.all('port')],
      storageGb: Number(call.one('storage') ?? machine.storageGb ?? 0) || null,
      overlayGb: Number(call.one('overlay') ?? machine.overlayGb ?? 0) || null,
    })
    say(context, `Updated machine: ${name}`)
  })
}

/** `machine images`: starts a stopped machine for the question. @throws Failure */
export async function showImages(context: Context): Promise<void> {
  const name = nameOf(context)
  const machine = findMachine(context.dir, name)
  if (!machine) throw configFailure('images', `machine '${name}' not found`)
  const images = machine.image === null ? [] : [{ reference: machine.image, layer_count: 1, size: 0 }]
  if (context.call.has('json')) {
    const storage = { total_bytes: 0, used_bytes: 0, layer_count: images.length, image_count: images.length }
    say(context, JSON.stringify({ storage, images }, null, 2))
    return
  }
  if (images.length === 0) say(context, 'No cached images.')
  for (const { reference } of images) say(context, `${reference}`)
}

/** `machine prune`: starts the machine, and leaves it running. @throws Failure */
export async function pruneMachine(context: Context): Promise<void> {
  const machine = namedMachine(context)
  if (stateOf(context, machine) !== 'running') {
    tell(context, 'Starting machine...')
    await startMachine(context, machine.name)
  }
  say(context, 'No unreferenced layers to remove.')
}

/** Where a machine's workload writes; there is no verb for it. */
export const workloadLog = (dir: string, name: string): string => join(vmDirOf(dir, name), 'workload.log')
