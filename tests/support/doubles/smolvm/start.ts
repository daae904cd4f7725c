import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stopGuest } from '../lib/guest.ts'
import { DiskFullError } from '../lib/knobs.ts'
import { copyRoot } from '../lib/root-file-system.ts'
import { type Context, guestOf, say, tell } from './context.ts'
import { agentFailure, type Failure, notFound } from './failure.ts'
import { bootGuest, liveRoot, planCommand, spawnDetached, spawnInGuest, startProblem } from './guest-run.ts'
import { agentRoot, emptyConfig, pull, unpackArchive } from './images.ts'
import {
  changeMachine,
  clonesOf,
  findMachine,
  holdingMachine,
  type ImageConfig,
  type Machine,
  pidOf,
  stateOf,
  vmDirOf,
} from './machines.ts'
import { reviveSaved } from './saved-state.ts'

/** `machine start`: boots, and at the first time pulls the image and runs the init commands. @throws Failure */
export async function startMachine(
  context: Context,
  name: string,
  options: { forkable?: boolean } = {},
): Promise<void> {
  await holdingMachine(context.dir, name, async () => {
    const machine = findMachine(context.dir, name)
    if (!machine) throw notFound(name)
    const state = stateOf(context, machine)
    if (state === 'running') {
      say(context, `Machine '${name}' already running (PID: ${pidOf(context.dir, name)})`)
      return
    }
    if (state === 'frozen') throw frozen(context, name)
    if (state === 'paused') throw agentFailure('start', 'machine has saved execution; use resume')
    if (state === 'unreachable') {
      say(
        context,
        `Machine '${name}' is unreachable (PID ${pidOf(context.dir, name)} alive but agent unresponsive); cleaning up.`,
      )
      stopGuest(guestOf(context.dir, vmDirOf(context.dir, name)), { graceMs: 0 })
    }
    // A start that was killed may have left a guest that no record knows.
    if (state !== 'unreachable') stopGuest(guestOf(context.dir, vmDirOf(context.dir, name)), { graceMs: 0 })
    const mounts = machine.mounts.length > 0 ? ` with ${machine.mounts.length} mount(s)` : ''
    tell(context, `Starting machine '${name}'${mounts}...`)
    await bringUp(context, machine, options)
    context.strikes.atEnd()
    say(context, `Machine '${name}' running (PID: ${pidOf(context.dir, name)})`)
  })
}

function frozen(context: Context, name: string): Failure {
  const clones = clonesOf(context.dir, name).map((clone) => clone.name)
  const why =
    clones.length === 0
      ? 'it retains a reusable fork checkpoint; stop it before restarting, or fork it again'
      : `it is the fork base for ${clones.length} live clone(s) (${clones.join(', ')})`
  return agentFailure('start', `'${name}' is frozen because ${why}`)
}

/** Boots a machine that doesn't run; the caller holds it. A failure leaves it stopped. */
export async function bringUp(
  context: Context,
  machine: Machine,
  options: { readonly forkable?: boolean } = {},
): Promise<Machine> {
  const { dir } = context
  for (const { source } of machine.mounts)
    if (!existsSync(source))
      throw agentFailure('start', `mount source ${source}: No such file or directory (os error 2)`)
  const isFirst = !machine.hasDisks
  let now = isFirst ? prepareDisks(context, machine) : machine
  await bootGuest(dir, now)
  // A kill after no byte strikes here, where the guest runs and no record says so.
  try {
    context.strikes.beforeBytes(1)
  } catch (error) {
    if (!(error instanceof DiskFullError)) throw error
    stopGuest(guestOf(dir, vmDirOf(dir, machine.name)), { graceMs: 0 })
    throw agentFailure('start', 'No space left on device (os error 28)')
  }
  const forkable = options.forkable ?? false
  if (now.isSaved) {
    reviveSaved(context, now)
    return changeMachine(dir, now, { state: 'running', isSaved: false, forkable, hasDisks: true })
  }
  try {
    if (isFirst) for (const line of now.init) await runInit(context, now, line)
    now = changeMachine(dir, now, { state: 'running', forkable, hasDisks: true })
    launchWorkload(context, now)
  } catch (error) {
    stopGuest(guestOf(dir, vmDirOf(dir, machine.name)), { graceMs: 0 })
    changeMachine(dir, now, { state: 'stopped', hasDisks: true })
    throw error
  }
  return now
}

/** What the first boot puts on the disks. What a pack or checkpoint brought is there already. */
function prepareDisks(context: Context, machine: Machine): Machine {
  const { dir } = context
  const vmDir = vmDirOf(dir, machine.name)
  const root = join(vmDir, 'rootfs')
  mkdirSync(vmDir, { recursive: true })
  const { source } = machine
  if (source.kind === 'pack' || source.kind === 'checkpoint') return machine
  rmSync(root, { recursive: true, force: true })
  if (source.kind === 'bare') {
    copyRoot(agentRoot(dir), root)
    return machine
  }
  if (source.kind === 'folder') {
    copyRoot(source.path, root)
    return { ...machine, imageConfig: emptyConfig() }
  }
  if (source.kind === 'archive') return { ...machine, imageConfig: unpackArchive(source.path, root) }
  tell(context, `Pulling ${source.reference}...`)
  const { digest, archive } = pull(dir, source.reference)
  const config: ImageConfig = unpackArchive(archive, root)
  tell(context, `Pulling image ${source.reference}... done.`)
  // A machine without a command of its own takes the image's, and keeps it.
  const isOwn = machine.entrypoint.length > 0 || machine.cmd.length > 0
  const command = isOwn ? {} : { entrypoint: config.entrypoint, cmd: config.cmd }
  return { ...machine, ...command, imageConfig: config, source: { ...source, digest } }
}

async function runInit(context: Context, machine: Machine, line: string): Promise<void> {
  const command = planCommand(context, machine, { argv: ['/bin/sh', '-c', line] })
  const problem = startProblem(liveRoot(context.dir, machine.name), command)
  if (problem) throw agentFailure('init', problem)
  const child = spawnInGuest(context.dir, machine, command, { stdio: 'ignore', detached: false })
  const code = await new Promise((resolve) => child.once('exit', (exit) => resolve(exit)))
  if (code !== 0) throw agentFailure('init', `command failed (exit ${code}): ${line}`)
}

/** The image's program, or the machine's own, in the background; that it fails is only in its log. */
function launchWorkload(context: Context, machine: Machine): void {
  const own = [...machine.entrypoint, ...machine.cmd]
  const config = machine.imageConfig
  const argv = own.length > 0 ? own : [...(config?.entrypoint ?? []), ...(config?.cmd ?? [])]
  if (argv.length === 0) return
  const command = planCommand(context, machine, { argv })
  const log = join(vmDirOf(context.dir, machine.name), 'workload.log')
  if (startProblem(liveRoot(context.dir, machine.name), command)) return
  spawnDetached(context.dir, machine, command, log)
}
