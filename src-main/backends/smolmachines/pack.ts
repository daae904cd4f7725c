import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { runConfig } from '../images/run-config.ts'
import type { RunConfig } from '../portable.ts'
import type { CaptureJob, Taken } from './capture.ts'
import { ARTIFACTS, makePartial, publish, writeCaptureState } from './capture-files.ts'
import { LISTING, saveListing } from './capture-listing.ts'
import { mark } from './capture-marker.ts'
import { saveFolder, saveRoot } from './capture-parts.ts'
import { WORKSPACE } from './capture-ports.ts'
import { settleBottle } from './capture-settle.ts'
import { COPY_MS } from './client.ts'
import { isAtLeast, type Version } from './features.ts'
import { packArguments, sidecarOf } from './pack-arguments.ts'
import { checkPack } from './pack-file.ts'

/** A machine that never told what it has gets what smolvm gives by itself. */
const CPUS = 4
const MEMORY_MIB = 8192
/** Before, a pack of a machine that was made from a pack loses what that one had: all files are kept once more. */
const REPACKS_WHOLE: Version = [1, 3, 4]

/**
 * Stops the machine, packs its disks, and starts it again as it was. The agent was asked for before. A failure leaves
 * the bottle to `settleWritten`, which knows from the written state what has to be done. @throws BottleError
 */
export async function takePack(job: CaptureJob): Promise<Taken> {
  const { tools, found, subject, target, wasRunning, progress, signal } = job
  const { machines } = tools
  const { name } = found.look
  const { features } = found
  const partial = await makePartial(target.partsDir)
  const state = { machine: name, wasRunning, isHeld: wasRunning }
  await writeCaptureState(target.partsDir, state)
  // Packs don't carry what can't be written into them before: without it nothing proves that they are whole.
  if (!wasRunning) await machines.start(name, signal)
  const { survey } = await mark(tools, name, target.snapshotId, partial, signal)
  const isBeside = !features.includeWorkspace && (survey?.hasWorkspace ?? false)
  const isTwofold = survey !== null && !isAtLeast(features.version, REPACKS_WHOLE)
  const frozenAt = Math.floor(Date.now() / 1000)
  const told = (current: number) => progress({ phase: 'copying', current, total: null })
  const place = { partsDir: target.partsDir, partial }
  const list = () => saveListing(machines, name, join(target.partsDir, LISTING), signal)
  // Nothing works in the machine meanwhile: the agent has not begun again, or has ended long ago.
  const keepBeside = async () => ({
    entries: survey ? await list() : null,
    root: isTwofold ? await saveRoot(machines, name, { ...place, file: 'root.tar' }, told, signal) : null,
    volumes: isBeside
      ? [await saveFolder(machines, name, WORKSPACE, { ...place, file: '0.tar' }, told, signal)]
      : [],
  })
  const before = wasRunning ? null : await keepBeside()
  if (wasRunning) await tools.keeper.hold(subject.runtime)
  const since = performance.now()
  progress({ phase: 'stopping', current: null, total: null })
  await machines.stop(name, signal)
  faultPoint('smolmachines:after-stop')
  progress({ phase: 'packing', current: null, total: null })
  const output = join(partial, 'bottle')
  const request = {
    machine: name,
    output,
    cpus: found.look.cpus ?? CPUS,
    memoryMib: found.look.memoryMib ?? MEMORY_MIB,
    includeWorkspace: features.includeWorkspace,
    stagingDir: features.stagingDir ? join(partial, 'staging') : null,
  }
  await tools.client.run('pack the machine', packArguments(request), { signal, timeout: COPY_MS })
  faultPoint('smolmachines:after-pack')
  if (wasRunning) {
    progress({ phase: 'starting', current: null, total: null })
    await machines.start(name, signal)
  }
  const kept = before ?? (await keepBeside())
  if (wasRunning) await settleBottle(tools, subject.runtime, state)
  const stoppedMs = wasRunning ? Math.round(performance.now() - since) : null
  faultPoint('smolmachines:after-settle')
  return {
    ...(await keepPack(job, output)),
    ...kept,
    survey,
    frozenAt,
    marker: target.snapshotId,
    losesXattrs: false,
    changedMeanwhile: 0,
    stoppedMs,
    keepsWorkspace: features.includeWorkspace || isBeside,
  }
}

/** The sidecar in its place, whole; the stub beside it is for one system and is not kept. */
async function keepPack(job: CaptureJob, output: string) {
  const { target, found, progress, signal } = job
  progress({ phase: 'checking', current: null, total: null })
  const sidecar = sidecarOf(output)
  const { manifest, digest, bytes } = await checkPack(sidecar, signal)
  if (manifest.kind !== 'pack') {
    throw bottleError('engine-failed', 'smolvm wrote another thing than the pack that was asked for.')
  }
  if (manifest.secretNames.length > 0) {
    throw bottleError(
      'unsupported',
      `The machine was made with secrets of its own (${manifest.secretNames.join(', ')}); smolvm restores no such pack.`,
    )
  }
  const reference = await publish(target.partsDir, sidecar, ARTIFACTS.pack)
  return { reference, digest, fileBytes: bytes, config: imageConfig(found.config, manifest.config) }
}

/**
 * A pack forgets some of its image's config, and gives a machine without a program of its own a shell: what was known
 * before it counts, the rest is as the pack says. Pure.
 */
export function imageConfig(known: RunConfig, packed: RunConfig): RunConfig {
  const { Entrypoint, Cmd, ...rest } = packed
  const hasProgram = known.Entrypoint !== undefined || known.Cmd !== undefined
  return runConfig({ ...rest, ...(hasProgram ? {} : { Entrypoint, Cmd }), ...known })
}
