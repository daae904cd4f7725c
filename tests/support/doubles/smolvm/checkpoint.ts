import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { stopGuest } from '../lib/guest.ts'
import { writeJson } from '../lib/state.ts'
import {
  checkpointsIn,
  digestOf,
  historyOf,
  keepInStore,
  readCheckpoint,
  tarFolder,
} from './checkpoint-file.ts'
import { type Context, guestOf, say, strikingWrite, tell } from './context.ts'
import { platform } from './create.ts'
import { agentFailure, configFailure, type Failure, notFound } from './failure.ts'
import { changeMachine, findMachine, holdingMachine, type Machine, stateOf, vmDirOf } from './machines.ts'
import { type PackManifest, writePack } from './pack-file.ts'
import { copyDisks, holdStill, savedDir, saveMemory } from './saved-state.ts'
import { bringUp } from './start.ts'

/** The machine when it runs. @throws Failure */
export function runningMachine(context: Context, name: string): Machine {
  const machine = findMachine(context.dir, name)
  if (!machine && name === 'default') throw agentFailure('connect', "machine 'default' not found")
  if (!machine) throw notFound(name)
  if (stateOf(context, machine) !== 'running') throw notRunning(name)
  return machine
}

function notRunning(name: string): Failure {
  return agentFailure(
    'connect',
    `machine '${name}' is not running. Use 'smolvm machine start --name ${name}' first.`,
  )
}

/** @throws Failure that names everything a checkpoint can't hold */
function refuseAttachments(machine: Machine): void {
  const found = [
    ...(machine.mounts.length > 0 ? ['host mounts'] : []),
    ...machine.attachments,
    ...(Object.keys(machine.secretRefs).length > 0 ? ['secret references'] : []),
  ]
  if (found.length > 0)
    throw agentFailure(
      'checkpoint',
      `the initial portable checkpoint profile does not support ${found.join(', ')}; stop or detach these resources before capture`,
    )
}

/** `machine checkpoint`: the machine goes on; what is kept is one instant of it. @throws Failure */
export async function checkpointMachine(context: Context): Promise<void> {
  const { call, dir, features } = context
  const output = resolve(call.one('output') ?? '')
  const extension = /\.(smolcheckpoint|checkpoint)$/.exec(output)?.[1]
  if (extension === undefined || (extension === 'checkpoint' && !features.shortExtension))
    throw configFailure(
      'checkpoint',
      `output must end in ${features.shortExtension ? '.checkpoint' : '.smolcheckpoint'}`,
    )
  if (existsSync(output)) throw configFailure('checkpoint', `output already exists: ${output}`)
  if (!existsSync(dirname(output)))
    throw agentFailure('checkpoint', `${dirname(output)}: No such file or directory (os error 2)`)
  const exported = call.one('export-from')
  if (exported !== undefined) {
    copyFileSync(readCheckpoint(resolve(exported), call.one('at')).path, output)
    return
  }
  const name = call.one('name') ?? 'default'
  await holdingMachine(dir, name, async () => {
    const machine = runningMachine(context, name)
    refuseAttachments(machine)
    const store = call.one('store')
    if (store !== undefined && !machine.forkable)
      throw agentFailure('checkpoint', 'deferred durable save requires file-backed guest RAM')
    const began = Date.now()
    const stagingRoot = resolve(call.one('staging-dir') ?? join(dir, 'cache'))
    mkdirSync(stagingRoot, { recursive: true })
    const staging = mkdtempSync(join(stagingRoot, 'checkpoint-staging-'))
    try {
      const frozenAt = Date.now()
      holdStill(context, machine, () => {
        copyDisks(context, machine, staging)
        saveMemory(context, machine, join(staging, 'memory'))
      })
      const pause = Date.now() - frozenAt
      writeJson(join(staging, 'memory', 'machine.json'), machine)
      const file = store === undefined ? output : join(staging, 'content')
      const manifest = assemble(context, machine, staging, file)
      if (store !== undefined) keepInStore(file, resolve(store), output, manifest.checkpoint?.id ?? '')
      const written = statSync(store === undefined ? output : join(output, 'checkpoint.bin')).size
      const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(3)}s`
      const size = `${Math.max(1, Math.round(written / 1048576))} MiB written`
      context.strikes.atEnd()
      say(
        context,
        `Checkpointed '${name}' to ${output} (${size}, ${seconds(Date.now() - began)} total, ${seconds(pause)} source pause)`,
      )
    } finally {
      rmSync(staging, { recursive: true, force: true })
    }
  })
}

function assemble(context: Context, machine: Machine, staging: string, output: string): PackManifest {
  const tars = ['rootfs', 'storage', 'memory'].map((folder) => {
    const path = join(staging, `${folder}.tar`)
    tarFolder(join(staging, folder), path, { keepHoles: true })
    return { path, entry: { path: `${folder}.tar`, size: statSync(path).size } }
  })
  const [rootfs, storage, memory] = tars
  if (!rootfs || !storage || !memory) throw new Error('a checkpoint has three parts')
  const created = new Date().toISOString()
  const parent =
    context.call.one('store') === undefined
      ? undefined
      : newest(resolve(context.call.one('store') ?? ''), machine.name)
  const manifest: PackManifest = {
    mode: machine.image === null ? 'vm' : 'container',
    image: machine.image ?? `vm://${machine.name}`,
    digest: 'none',
    platform: platform(),
    cpus: machine.cpus,
    mem: machine.mem,
    image_size: rootfs.entry.size,
    network: machine.network,
    gpu: false,
    cuda: false,
    host_platform: platform(),
    created,
    smolvm_version: context.features.version,
    assets: {
      libraries: [],
      agent_rootfs: { path: 'agent-rootfs.tar', size: 0 },
      layers: [{ ...rootfs.entry, digest: digestOf(rootfs.path) }],
      storage_template: storage.entry,
    },
    checkpoint: {
      id: randomBytes(6).toString('hex'),
      machine: machine.name,
      created,
      memory_mib: machine.mem,
      ...(parent === undefined ? {} : { parent }),
      state: memory.entry,
    },
  }
  writePack(
    output,
    tars.map(({ path }) => path),
    manifest,
    0,
    strikingWrite(context, 'checkpoint'),
  )
  return manifest
}

function newest(store: string, machine: string): string | undefined {
  if (!existsSync(join(store, 'objects'))) return undefined
  return checkpointsIn(store).find(({ facts }) => facts.machine === machine)?.facts.id
}

/** `machine checkpoint-log`. @throws Failure */
export function logCheckpoints(context: Context): void {
  const { call } = context
  const store = call.one('store')
  const path = call.positional('PATH')
  if ((store === undefined) === (path === undefined))
    throw configFailure('checkpoint-log', 'name a checkpoint or a store')
  const only = call.one('machine')
  const found = path === undefined ? checkpointsIn(resolve(store ?? '')) : historyOf(resolve(path))
  const shown = found.filter(({ facts }) => only === undefined || facts.machine === only)
  shown.forEach(({ facts }, at) => {
    const mark = path !== undefined && at === 0 ? '  (this checkpoint)' : ''
    say(context, `~${at}  ${facts.id}  ${facts.created}  ${facts.machine}  ${facts.memory_mib} MiB${mark}`)
  })
}

/** `machine checkpoint-prune`: without other links nothing but the store holds an object. */
export function pruneCheckpoints(context: Context): void {
  const store = resolve(context.call.one('store') ?? '')
  const gone = checkpointsIn(store).filter(({ path }) => statSync(path).nlink === 1)
  for (const { path } of gone) rmSync(path)
  say(context, `Removed ${gone.length} object(s): ${gone.map(({ path }) => basename(path)).join(', ')}`)
}

/** `machine pause`: saves everything on this machine's own disk and stops. @throws Failure */
export async function pauseMachine(context: Context): Promise<void> {
  const name = context.call.one('name') ?? 'default'
  await holdingMachine(context.dir, name, async () => {
    const machine = runningMachine(context, name)
    refuseAttachments(machine)
    const guest = guestOf(context.dir, vmDirOf(context.dir, name))
    holdStill(context, machine, () => saveMemory(context, machine, savedDir(context.dir, name)))
    stopGuest(guest, { graceMs: 0 })
    changeMachine(context.dir, machine, { state: 'paused', isSaved: true })
    context.strikes.atEnd()
    say(context, `Paused machine: ${name}`)
  })
}

/** `machine resume`: goes on with what `pause` saved. @throws Failure */
export async function resumeMachine(context: Context): Promise<void> {
  const name = context.call.one('name') ?? 'default'
  await holdingMachine(context.dir, name, async () => {
    const machine = findMachine(context.dir, name)
    if (!machine) throw notFound(name)
    if (stateOf(context, machine) !== 'paused')
      throw agentFailure('resume', `machine '${name}' has no saved execution`)
    await bringUp(context, machine)
    say(context, `Resumed machine: ${name}`)
  })
}

/** `machine fork` and `machine branch`: a second machine that goes on from this instant. @throws Failure */
export async function branchMachine(context: Context): Promise<void> {
  const { call, dir, features } = context
  const source = call.one('golden') ?? call.one('from') ?? call.positional('GOLDEN') ?? ''
  const names = branchNames(context)
  await holdingMachine(dir, source, async () => {
    const golden = findMachine(dir, source)
    if (!golden) throw notFound(source)
    const state = stateOf(context, golden)
    if (state !== 'running' && state !== 'frozen') throw notRunning(source)
    if (!golden.forkable) throw notForkable(context, source)
    for (const name of names) {
      if (findMachine(dir, name))
        throw configFailure('create machine', `machine '${name}' already exists or is being created`)
      const vmDir = vmDirOf(dir, name)
      mkdirSync(vmDir, { recursive: true })
      const take = () => {
        copyDisks(context, golden, vmDir)
        saveMemory(context, golden, savedDir(dir, name))
      }
      if (!features.branch && state === 'running')
        tell(context, `Freezing golden '${source}' as fork base...`)
      holdStillAndMaybeStay(context, golden, take)
      const clone: Machine = {
        ...golden,
        ...{ name, state: 'created', golden: source, isSaved: true, forkable: false },
        createdAt: Math.floor(Date.now() / 1000),
        labels: {},
        ports: call.all('port'),
      }
      await bringUp(context, clone, { forkable: call.has('forkable') || call.has('branchable') })
      tell(
        context,
        features.branch
          ? `Branched '${source}' -> '${name}'.`
          : `Forked '${source}' -> '${name}'. Golden stays frozen as the fork base.`,
      )
    }
  })
}

function branchNames({ call }: Context): readonly string[] {
  const count = Number(call.one('count') ?? 1)
  const prefix = call.one('name-prefix')
  const name = call.one('name') ?? call.positional('CLONE')
  if (name !== undefined && count === 1) return [name]
  if (prefix === undefined) throw configFailure('fork', 'give --name, or --count with --name-prefix')
  return Array.from({ length: count }, (_, at) => `${prefix}-${at + 1}`)
}

function notForkable({ features }: Context, name: string): Failure {
  return features.branch
    ? agentFailure(
        'fork',
        `machine '${name}' was not started as branchable, so it has no copy-on-write memory to branch from. ` +
          `Restart it with: smolvm machine start --name ${name} --branchable`,
      )
    : agentFailure(
        'fork',
        `golden '${name}' is not running forkable; start it with: smolvm machine start --name ${name} --forkable`,
      )
}

/** The golden of a fork stands still for good; the source of a branch goes on. */
function holdStillAndMaybeStay(context: Context, golden: Machine, take: () => void): void {
  holdStill(context, golden, take, { stays: !context.features.branch })
  if (!context.features.branch) changeMachine(context.dir, golden, { state: 'frozen' })
}
