import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { CaptureJob, Taken } from './capture.ts'
import { ARTIFACTS, makePartial, publish } from './capture-files.ts'
import { COPY_MS } from './client.ts'
import { imageConfig } from './pack.ts'
import { checkpointArguments } from './pack-arguments.ts'
import { checkPack } from './pack-file.ts'

const SYNC_MS = 60_000

/**
 * Writes memory and disks of a machine that goes on. It is never booted to be checked: its agent would act twice. What
 * smolvm wrote is checked byte by byte instead. @throws BottleError
 */
export async function takeCheckpoint(job: CaptureJob): Promise<Taken> {
  const { tools, found, target, progress, signal } = job
  const { name } = found.look
  const partial = await makePartial(target.partsDir)
  // Its files can then be had from its disks alone, without the memory.
  await tools.machines
    .exec(name, ['sync'], { signal, timeout: SYNC_MS, okCodes: 'any' })
    .catch((thrown: unknown) => {
      if (signal.aborted) throw thrown
    })
  progress({ phase: 'checkpointing', current: null, total: null })
  const output = join(partial, ARTIFACTS.checkpoint)
  await tools.client.run('checkpoint the machine', checkpointArguments(name, output), {
    signal,
    timeout: COPY_MS,
  })
  faultPoint('smolmachines:after-checkpoint')
  const { manifest, digest, bytes } = await checkPack(output, signal)
  if (manifest.kind !== 'checkpoint') {
    throw bottleError('engine-failed', 'smolvm wrote a file without memory where a checkpoint was asked for.')
  }
  const reference = await publish(target.partsDir, output, ARTIFACTS.checkpoint)
  return {
    reference,
    digest,
    fileBytes: bytes,
    config: imageConfig(found.config, manifest.config),
    survey: { filledTmpfs: [], hasWorkspace: false, user: null },
    entries: null,
    frozenAt: null,
    volumes: [],
    marker: null,
    losesXattrs: false,
    changedMeanwhile: 0,
    stoppedMs: null,
    keepsWorkspace: true,
  }
}
