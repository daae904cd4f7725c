import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { copyRoot, unpackLayers } from '../lib/root-file-system.ts'
import { digestOf, tarFolder } from './checkpoint-file.ts'
import { type Context, say, strikingWrite, tell } from './context.ts'
import { platform } from './create.ts'
import { agentFailure, configFailure } from './failure.ts'
import { agentRoot, pull, unpackArchive } from './images.ts'
import { findMachine, type ImageConfig, type Machine, stateOf, vmDirOf } from './machines.ts'
import { applyOverlay } from './overlay.ts'
import { extractAssets, type PackManifest, readPack, writePack } from './pack-file.ts'

const HELPER_DIED = 'agent did not become ready within 30 seconds'

/** `pack create`: an executable stub and beside it the sidecar, which is the artifact. @throws Failure */
export function createPack(context: Context): void {
  const { call, features } = context
  const output = call.one('output') ?? ''
  if (features.refusesSidecarName && extname(output).toLowerCase() === '.smolmachine')
    throw configFailure(
      'pack create',
      "--output names the executable stub, not the .smolmachine sidecar (which is created automatically as '<output>.smolmachine'). " +
        `Use --output ${output.slice(0, -'.smolmachine'.length)} instead.`,
    )
  const vm = call.one('from-vm')
  if (vm !== undefined) packMachine(context, vm, output)
  else packImage(context, output)
}

/** Staging lies where the version puts it; a killed call leaves it there. */
function inStaging<T>(context: Context, work: (staging: string) => T): T {
  const { call, features, env, dir } = context
  const root = features.stagingDir
    ? resolve(call.one('staging-dir') ?? env.SMOLVM_PACK_STAGING ?? join(dir, 'cache'))
    : (env.TMPDIR ?? '/tmp')
  mkdirSync(root, { recursive: true })
  const staging = mkdtempSync(join(root, 'pack-staging-'))
  try {
    return work(staging)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function packMachine(context: Context, name: string, output: string): void {
  const { dir, call, features } = context
  const machine = findMachine(dir, name)
  if (!machine) throw agentFailure('pack from VM', `VM '${name}' not found`)
  const state = stateOf(context, machine)
  if (state === 'running')
    throw agentFailure(
      'pack from VM',
      `VM '${name}' is running. Stop it first with: smolvm machine stop --name ${name}`,
    )
  if (state === 'paused')
    throw agentFailure('pack from VM', `VM '${name}' has saved execution; use resume or delete`)
  const root = join(vmDirOf(dir, name), 'rootfs')
  const isImage = machine.image !== null
  if (!machine.hasDisks && !(isImage && features.stagingDir))
    throw agentFailure(
      'pack from VM',
      `overlay disk not found at ${join(vmDirOf(dir, name), 'overlay.raw')}. The VM may not have been started yet.`,
    )
  say(context, `Packing VM '${name}' snapshot...`)
  inStaging(context, (staging) => {
    collectBase(context)
    if (machine.golden !== null && !features.packsClones)
      throw agentFailure(
        'pack from VM',
        `machine '${name}' is a fork clone of '${machine.golden}'; its copy-on-write disks cannot be exported directly.`,
      )
    const isLocal = machine.source.kind === 'archive' || machine.source.kind === 'folder'
    if (isLocal && !features.packsLocalImages)
      throw agentFailure(
        'pack from VM',
        `VM '${name}' was created from a local image (${machine.image}). \`pack create --from-vm\` can only snapshot VMs created from a REGISTRY image`,
      )
    if (!machine.hasDisks)
      throw agentFailure(
        'pack from VM',
        `machine '${name}' has no storage disk yet (${join(vmDirOf(dir, name), 'storage.raw')}) — it has never been started. Start it once so its state exists`,
      )
    say(
      context,
      isImage
        ? 'Starting agent VM to export machine state...'
        : `Copying overlay disk (${join(vmDirOf(dir, name), 'overlay.raw')})...`,
    )
    if (context.strikes.has('fail') || context.helperFails) throw agentFailure('start agent VM', HELPER_DIED)
    const tree = isImage ? flatten(context, machine, root, staging) : root
    const content = context.strikes.has('hollow') ? emptied(context, staging) : tree
    const layer = join(staging, 'layer.tar')
    tarFolder(content, layer, { keepHoles: false })
    const assets = [layer]
    const workspace = join(vmDirOf(dir, name), 'storage')
    const storage = join(staging, 'storage.tar')
    const withWorkspace = features.includeWorkspace && call.has('include-workspace') && existsSync(workspace)
    if (withWorkspace) {
      tarFolder(workspace, storage, { keepHoles: false })
      assets.push(storage)
    }
    const entry = { path: 'layer.tar', size: statSync(layer).size }
    const manifest: PackManifest = {
      ...shape(context, machine.image ?? `vm://${name}`, isImage ? 'container' : 'vm', entry.size),
      // A machine without a program of its own gets a shell, as the real one writes it.
      entrypoint: machine.entrypoint.length > 0 ? machine.entrypoint : ['/bin/sh'],
      ...(machine.cmd.length > 0 ? { cmd: machine.cmd } : {}),
      ...withEnvironment([...(machine.imageConfig?.env ?? []), ...machine.env]),
      ...(Object.keys(machine.secretRefs).length > 0 ? { secret_refs: machine.secretRefs } : {}),
      ...withWorkdir(machine),
      ...withUser(context, machine),
      network: machine.network,
      gpu: machine.gpu || call.has('gpu'),
      cuda: machine.cuda,
      assets: {
        libraries: [],
        agent_rootfs: { path: 'agent-rootfs.tar', size: 0 },
        layers: isImage ? [{ ...entry, digest: digestOf(layer) }] : [],
        ...(withWorkspace ? { storage_template: { path: 'storage.tar', size: statSync(storage).size } } : {}),
        ...(isImage ? {} : { overlay_template: entry }),
      },
    }
    // The layers of the assets come before the disks, and a machine without an image has only disks.
    finish(context, output, isImage ? assets : assets.toReversed(), manifest)
  })
}

function withWorkdir(machine: Machine): { readonly workdir?: string } {
  const workdir = machine.workdir ?? (machine.imageConfig?.workdir || null)
  return workdir === null ? {} : { workdir }
}

function withUser({ features }: Context, machine: Machine): { readonly user?: string } {
  const user = machine.user ?? (machine.imageConfig?.user || null)
  return user === null || !features.packKeepsUser ? {} : { user }
}

/** Later values win, each name once. */
function withEnvironment(entries: readonly string[]): { readonly env?: readonly string[] } {
  const merged = new Map(entries.map((entry) => [entry.split('=')[0] ?? '', entry]))
  return merged.size === 0 ? {} : { env: [...merged.values()] }
}

function shape(
  { call, features }: Context,
  image: string,
  mode: PackManifest['mode'],
  size: number,
): Omit<PackManifest, 'assets' | 'network' | 'gpu' | 'cuda'> {
  return {
    ...{ mode, image, digest: 'none', platform: platform() },
    cpus: Number(call.one('cpus') ?? 4),
    mem: Number(call.one('mem') ?? 8192),
    image_size: size,
    host_platform: platform(),
    created: new Date().toISOString(),
    smolvm_version: features.version,
    ...(call.has('entrypoint') ? { entrypoint: [call.one('entrypoint') ?? ''] } : {}),
  }
}

function collectBase(context: Context): void {
  say(context, 'Collecting runtime libraries...')
  say(context, 'Collecting agent rootfs...')
  say(context, 'Creating storage template...')
}

/**
 * The file system of an image machine as the helper puts it together: the image, pulled again, and over it what the
 * machine changed. So a reference that moved changes the base, and before 1.3.4 a machine that was itself made from a
 * pack loses what that pack had over its image.
 */
function flatten(context: Context, machine: Machine, root: string, staging: string): string {
  const { source } = machine
  const { features, dir } = context
  if (source.kind === 'registry' && !features.losesCreateRaces) {
    const { digest, archive } = pull(dir, source.reference)
    tell(context, `Pulling image ${source.reference}... done.`)
    if (digest === source.digest || source.digest === null) return root
    const before = join(staging, 'before')
    unpackArchive(join(dir, 'registry', `${source.digest.slice(7)}.tar`), before)
    const now = join(staging, 'now')
    unpackArchive(archive, now)
    applyOverlay(before, root, now)
    return now
  }
  if (source.kind !== 'pack') return root
  if (features.repackKeepsLayers && !context.call.has('rebase-from-image')) {
    if (context.layerCacheLost && !existsSync(source.path))
      throw agentFailure(
        'pack from VM',
        `VM '${machine.name}' was created from a .smolmachine artifact, but its imported layer cache is missing and ${source.path} is gone`,
      )
    return root
  }
  if (!existsSync(source.path) || source.image === null) return root
  const before = join(staging, 'before')
  const assets = join(staging, 'assets')
  mkdirSync(assets)
  const pack = readPack(source.path)
  const file = (entry: { readonly path: string }) => join(assets, entry.path)
  extractAssets(source.path, pack, file)
  unpackLayers(before, pack.manifest.assets.layers.map(file))
  const now = join(staging, 'now')
  unpackArchive(pull(dir, source.image).archive, now)
  applyOverlay(before, root, now)
  return now
}

/** A pack that lost its files: it still boots. */
function emptied(context: Context, staging: string): string {
  const root = join(staging, 'hollow')
  copyRoot(agentRoot(context.dir), root)
  return root
}

function packImage(context: Context, output: string): void {
  const { call, dir } = context
  const image = call.one('image')
  if (image === undefined)
    throw configFailure(
      'pack create',
      "no image specified. Provide IMAGE argument or set 'image' in Smolfile",
    )
  inStaging(context, (staging) => {
    say(context, 'Starting agent VM...')
    if (context.helperFails) throw agentFailure('start agent VM', HELPER_DIED)
    const { archive } = pull(dir, image)
    const root = join(staging, 'rootfs')
    const config: ImageConfig = unpackArchive(archive, root)
    tell(context, `Pulling image ${image}... done.`)
    collectBase(context)
    const layer = join(staging, 'layer.tar')
    tarFolder(root, layer, { keepHoles: false })
    const entry = { path: 'layer.tar', size: statSync(layer).size }
    const manifest: PackManifest = {
      ...(config.entrypoint.length > 0 ? { entrypoint: config.entrypoint } : {}),
      ...shape(context, image, 'container', entry.size),
      ...(config.cmd.length > 0 ? { cmd: config.cmd } : {}),
      ...withEnvironment(config.env),
      ...(config.workdir === '' ? {} : { workdir: config.workdir }),
      ...(config.user === '' || !context.features.packKeepsUser ? {} : { user: config.user }),
      ...{ network: false, gpu: call.has('gpu'), cuda: false },
      assets: {
        libraries: [],
        agent_rootfs: { path: 'agent-rootfs.tar', size: 0 },
        layers: [{ ...entry, digest: digestOf(layer) }],
      },
    }
    finish(context, output, [layer], manifest)
  })
}

const STUB = `#!/bin/sh
# Stands where the executable of a pack stands; the sidecar beside it is what counts.
case \${1:-run} in
  info) echo "sidecar: $0.smolmachine" ;;
  *) echo 'the stub of a double does not run; use: smolvm pack run --sidecar' >&2; exit 70 ;;
esac
exit
`

function finish(context: Context, output: string, assets: readonly string[], manifest: PackManifest): void {
  const { call } = context
  const folder = dirname(resolve(output))
  if (!existsSync(folder) || !readdirSync(folder))
    throw agentFailure('pack binary', `${folder}: No such file or directory (os error 2)`)
  const sidecar = `${output}.smolmachine`
  const write = strikingWrite(context, 'pack binary')
  const isSingle = call.has('single-file')
  if (!isSingle) writeFileSync(output, STUB)
  const size = isSingle
    ? writePack(output, assets, manifest, STUB.length, write, Buffer.from(STUB))
    : writePack(sidecar, assets, manifest, STUB.length, write)
  chmodSync(output, 0o755)
  context.strikes.atEnd()
  const kilobytes = (bytes: number) => `${Math.floor(bytes / 1024)}KB`
  say(context, `Packed: ${output} (stub: ${kilobytes(STUB.length)}, total: ${kilobytes(STUB.length + size)})`)
  say(
    context,
    isSingle ? 'Mode: single-file (no sidecar)' : `Assets: ${sidecar} (${kilobytes(size)} compressed)`,
  )
  say(context, `\nRun with: ${output}`)
}
