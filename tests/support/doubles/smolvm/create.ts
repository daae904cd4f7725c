import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { arch } from 'node:os'
import { join, resolve } from 'node:path'
import { self } from '../lib/process-id.ts'
import { copyRoot, unpackLayers } from '../lib/root-file-system.ts'
import { readJson } from '../lib/state.ts'
import { placeCheckpoint, readCheckpoint } from './checkpoint-file.ts'
import { type Context, say, strikingWrite, tell } from './context.ts'
import { agentFailure, configFailure } from './failure.ts'
import { agentRoot, imageSource } from './images.ts'
import { nameProblem } from './machine-name.ts'
import {
  findMachine,
  holdingCreates,
  type Machine,
  type MachineMount,
  vmDirOf,
  writeMachine,
} from './machines.ts'
import { extractAssets, readPack } from './pack-file.ts'

const DEFAULT_CPUS = 4
const DEFAULT_MEMORY = 8192

/** `machine create`. @throws Failure */
export async function createMachine(context: Context): Promise<void> {
  const { call } = context
  const stray = call.rest.filter((word) => /^--?[a-z]/.test(word))
  if (stray.length > 0)
    tell(context, `note: ${stray.join(', ')} came after \`--\`, so it did not configure the machine.`)
  const name = call.one('name') ?? call.positional('NAME') ?? `vm-${randomBytes(4).toString('hex')}`
  const machine = await makeMachine(context, name, { isEphemeral: false })
  context.strikes.atEnd()
  say(context, `Created machine: ${machine.name}`)
  say(context, `  CPUs: ${machine.cpus}, Memory: ${machine.mem} MiB`)
  if (machine.mounts.length > 0) say(context, `  Mounts: ${machine.mounts.length}`)
  if (machine.ports.length > 0) say(context, `  Ports: ${machine.ports.length}`)
  if (machine.init.length > 0) say(context, `  Init commands: ${machine.init.length}`)
  say(context, `\nUse 'smolvm machine start --name ${machine.name}' to start the machine`)
  say(context, `Then use 'smolvm machine exec --name ${machine.name} -- <command>' to run commands`)
}

/** Makes a machine as the call describes it, without starting it. @throws Failure */
export async function makeMachine(
  context: Context,
  name: string,
  { isEphemeral }: { readonly isEphemeral: boolean },
): Promise<Machine> {
  const { dir } = context
  return holdingCreates(context, async () => {
    const described = describe(context, name)
    if (findMachine(dir, name))
      throw configFailure('create machine', `machine '${name}' already exists or is being created`)
    const machine: Machine = { ...described, owner: isEphemeral ? self() : null }
    const from = context.call.one('from') ?? context.call.one('sidecar')
    if (from === undefined) return writeMachine(dir, machine)
    try {
      return writeMachine(dir, fill(context, machine, resolve(from)))
    } catch (error) {
      rmSync(vmDirOf(dir, name), { recursive: true, force: true })
      throw error
    }
  })
}

function describe(context: Context, name: string): Machine {
  const { call, features } = context
  const problem = nameProblem(name)
  if (problem) throw configFailure('create machine', problem)
  const image = call.one('image')
  const isOpen =
    call.has('net') || ['port', 'allow-cidr', 'allow-host'].some((option) => call.all(option).length > 0)
  const resolved =
    image === undefined ? null : imageSource(context.dir, image, features, () => readFileSync(0))
  if (resolved?.source.kind === 'registry' && !isOpen && !features.fetchesOnHost)
    throw configFailure(
      'create machine',
      `image '${image}' must be pulled from a registry, but this machine has no network, so the pull can never succeed. ` +
        'Add --net (or publish a port with -p, or set an egress policy with --allow-cidr/--allow-host).',
    )
  return {
    name,
    state: 'created',
    source: resolved?.source ?? { kind: 'bare' },
    image: resolved?.told ?? null,
    cpus: Number(call.one('cpus') ?? DEFAULT_CPUS),
    mem: Number(call.one('mem') ?? DEFAULT_MEMORY),
    storageGb: numberOrNull(call.one('storage')),
    overlayGb: numberOrNull(call.one('overlay')),
    entrypoint: [],
    cmd: call.rest,
    env: environment(context),
    workdir: call.one('workdir') ?? null,
    user: call.one('user') ?? null,
    network: isOpen,
    gpu: call.has('gpu'),
    cuda: call.has('cuda'),
    mounts: call.all('volume').map(parseMount),
    ports: call.all('port'),
    labels: parseLabels(call.all('label')),
    init: call.all('init'),
    secretRefs: parseSecrets(context),
    attachments: attachments(context),
    createdAt: Math.floor(Date.now() / 1000),
    hasDisks: false,
    imageConfig: null,
    forkable: false,
    golden: null,
    isSaved: false,
    owner: null,
  }
}

const numberOrNull = (text: string | undefined): number | null => (text === undefined ? null : Number(text))

/** `-e KEY` takes the caller's value; one that isn't set is dropped in silence. */
export function environment(context: Context): readonly string[] {
  return context.call.all('env').flatMap((entry) => {
    if (entry.includes('=')) return entry.startsWith('=') ? [] : [entry]
    const value = context.env[entry]
    return value === undefined || entry === '' ? [] : [`${entry}=${value}`]
  })
}

/** @throws Failure for one that isn't a folder */
export function parseMount(text: string): MachineMount {
  const [source = '', target = '', mode] = text.split(':')
  if (source === '' || !target.startsWith('/'))
    throw configFailure('mount', `invalid volume specification '${text}'`)
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw')
    throw configFailure('mount', `invalid mount mode '${mode}'`)
  const stat = statSync(resolve(source), { throwIfNoEntry: false })
  if (!stat) throw configFailure('mount', `path does not exist: ${source}`)
  if (!stat.isDirectory()) throw configFailure('mount', `path must be a directory: ${source}`)
  return { source: realpathSync(resolve(source)), target, readOnly: mode === 'ro' }
}

/** Values may hold `=`. @throws Failure */
export function parseLabels(entries: readonly string[]): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  for (const entry of entries) {
    const at = entry.indexOf('=')
    if (at < 0) throw configFailure('--label', `expected KEY=VALUE, got '${entry}'`)
    if (at === 0) throw configFailure('--label', `label key cannot be empty (in '${entry}')`)
    labels[entry.slice(0, at)] = entry.slice(at + 1)
  }
  return labels
}

export function parseSecrets(context: Context): Machine['secretRefs'] {
  const found: Record<string, { source: 'env' | 'file'; value: string }> = {}
  for (const source of ['env', 'file'] as const) {
    for (const entry of context.call.all(`secret-${source}`)) {
      const [key = '', ...value] = entry.split('=')
      if (key === '' || value.length === 0)
        throw configFailure('--secret', `expected GUEST_VAR=VALUE, got '${entry}'`)
      if (source === 'file' && !value.join('=').startsWith('/'))
        throw configFailure('create machine', `secret '${key}': path must be absolute`)
      found[key] = { source, value: value.join('=') }
    }
  }
  return found
}

/** What else than mounts forbids a checkpoint, named as its refusal names it. */
function attachments({ call }: Context): readonly string[] {
  const named: readonly (readonly [string, string])[] = [
    ['expose-socket', 'published sockets'],
    ['mount-socket', 'published sockets'],
    ['dns', 'custom DNS'],
    ['network', 'named network'],
    ['gpu', 'GPU'],
    ['cuda', 'CUDA'],
    ['rosetta', 'Rosetta'],
    ['ssh-agent', 'ssh-agent'],
    ['docker-socket', 'docker socket'],
  ]
  return [...new Set(named.filter(([option]) => call.has(option)).map(([, words]) => words))]
}

/** Fills a machine from an artifact: its files now, the rest from its manifest. @throws Failure */
function fill(context: Context, machine: Machine, path: string): Machine {
  const { call, features } = context
  if (!existsSync(path))
    throw configFailure('create from .smolmachine', `file not found: ${call.one('from') ?? path}`)
  if (features.checkpoint && isCheckpoint(path)) return fillFromCheckpoint(context, machine, path)
  if (call.has('at')) throw configFailure('create from .smolmachine', '--at needs a checkpoint')
  const pack = readPack(path)
  const { manifest } = pack
  if (manifest.checkpoint)
    throw agentFailure('read .smolmachine', 'the artifact is a checkpoint, which this version cannot restore')
  const own = platform()
  if (manifest.platform !== own)
    throw configFailure(
      'create from .smolmachine',
      `artifact is for ${manifest.platform}, this host is ${own}`,
    )
  const [secret] = Object.keys(manifest.secret_refs ?? {})
  if (secret !== undefined)
    throw configFailure(
      'create from .smolmachine',
      `secret '${secret}': env source is not allowed here (packs may not carry secret refs)`,
    )
  if (machine.owner === null) say(context, 'Extracting .smolmachine assets...')
  const vmDir = vmDirOf(context.dir, machine.name)
  const staging = join(vmDir, 'pack')
  // What a create that was killed left there.
  rmSync(vmDir, { recursive: true, force: true })
  mkdirSync(staging, { recursive: true })
  const file = (entry: { readonly path: string }) => join(staging, entry.path.replaceAll('/', '_'))
  extractAssets(path, pack, file, strikingWrite(context, 'extract sidecar'))
  const { layers, overlay_template, storage_template } = manifest.assets
  // An artifact that lost its layers boots the agent's own small system and nobody complains.
  const trees = [...layers, ...(overlay_template ? [overlay_template] : [])]
  unpackLayers(join(vmDir, 'rootfs'), trees.length > 0 ? trees.map(file) : [])
  if (trees.length === 0) fillWithAgent(context, vmDir)
  if (storage_template) unpackLayers(join(vmDir, 'storage'), [file(storage_template)])
  rmSync(staging, { recursive: true, force: true })
  const isVm = manifest.mode === 'vm'
  const isOwnCommand = call.rest.length > 0
  return {
    ...machine,
    source: { kind: 'pack', path: realpathSync(path), image: isVm ? null : manifest.image },
    image: isVm ? null : manifest.image,
    // The defaults can't be told from a wish for just these numbers.
    cpus: machine.cpus === DEFAULT_CPUS ? manifest.cpus : machine.cpus,
    mem: machine.mem === DEFAULT_MEMORY ? manifest.mem : machine.mem,
    entrypoint: isOwnCommand ? [] : (manifest.entrypoint ?? []),
    cmd: isOwnCommand ? call.rest : (manifest.cmd ?? []),
    env: [...(manifest.env ?? []), ...machine.env],
    workdir: manifest.workdir ?? null,
    user: machine.user ?? manifest.user ?? null,
    network: machine.network || manifest.network,
    gpu: manifest.gpu,
    cuda: machine.cuda || manifest.cuda,
    hasDisks: false,
  }
}

function fillWithAgent(context: Context, vmDir: string): void {
  rmSync(join(vmDir, 'rootfs'), { recursive: true, force: true })
  copyRoot(agentRoot(context.dir), join(vmDir, 'rootfs'))
}

/** A checkpoint is a pack with a `checkpoint` object, or a folder when it lies in a store. */
function isCheckpoint(path: string): boolean {
  if (statSync(path).isDirectory()) return true
  return readPack(path).manifest.checkpoint !== undefined
}

function fillFromCheckpoint(context: Context, machine: Machine, path: string): Machine {
  const { call } = context
  const fixed = ['cpus', 'mem', 'storage', 'overlay'].find((option) => call.has(option))
  if (fixed !== undefined)
    throw configFailure(
      'create from checkpoint',
      `--${fixed} cannot be given: a checkpoint keeps its own shape`,
    )
  const found = readCheckpoint(path, call.one('at'))
  const vmDir = vmDirOf(context.dir, machine.name)
  rmSync(vmDir, { recursive: true, force: true })
  mkdirSync(vmDir, { recursive: true })
  placeCheckpoint(found, vmDir)
  const kept = readJson<Machine | null>(join(vmDir, 'saved', 'machine.json'), null)
  if (!kept) throw agentFailure('read checkpoint', 'machine state is missing')
  rmSync(join(vmDir, 'saved', 'machine.json'))
  return {
    ...kept,
    name: machine.name,
    state: 'created',
    source: { kind: 'checkpoint', path: realpathSync(path), image: kept.image },
    // What is given now reaches commands that are run later, not what goes on.
    env: [...kept.env, ...machine.env],
    labels: machine.labels,
    mounts: machine.mounts,
    ports: machine.ports,
    attachments: machine.attachments,
    network: kept.network || machine.network,
    createdAt: machine.createdAt,
    hasDisks: true,
    forkable: false,
    golden: null,
    isSaved: true,
    owner: machine.owner,
  }
}

/** As the manifests name it. */
export function platform(): string {
  return `linux/${arch() === 'x64' ? 'amd64' : arch()}`
}
