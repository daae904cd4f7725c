import { join } from 'node:path'
import type { VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { CaptureJob, Taken } from './capture.ts'
import { ARTIFACTS, makePartial, publish, writeCaptureState } from './capture-files.ts'
import { writeImage } from './capture-image.ts'
import { mark } from './capture-marker.ts'
import { readGuest, saveFolder } from './capture-parts.ts'
import { WORKSPACE } from './capture-ports.ts'
import { settleBottle } from './capture-settle.ts'

/** The name that an archive of ours gives its image: what smolvm calls it does not matter. */
export const imageName = (slug: string, snapshotId: string): string =>
  `bot-bottle-committed-${slug}:${snapshotId}`

/** Copies the files of a machine that runs into an image of one layer, with the config of its image. @throws BottleError */
export async function takeGuestTar(job: CaptureJob): Promise<Taken> {
  const { tools, found, subject, target, wasRunning, progress, signal } = job
  const { machines } = tools
  const { name } = found.look
  const partial = await makePartial(target.partsDir)
  const state = { machine: name, wasRunning, isHeld: false }
  await writeCaptureState(target.partsDir, state)
  if (!wasRunning) await machines.start(name, signal)
  const { survey } = await mark(tools, name, target.snapshotId, partial, signal)
  if (survey === null) {
    throw bottleError(
      'unsupported',
      'smolvm can’t pack this machine, and its image has no shell with which its files could be copied. A newer smolvm can pack it.',
      { slug: subject.slug },
    )
  }
  const told = (current: number) => progress({ phase: 'copying', current, total: null })
  told(0)
  const files = readGuest(machines, name, { keepsMarker: true, withWorkspace: false }, signal)
  const path = join(partial, ARTIFACTS['guest-tar'])
  const facts = {
    platform: found.platform,
    config: found.config,
    createdAt: target.record.createdAt,
    reference: imageName(subject.slug, target.snapshotId),
  }
  const image = await writeImage(path, files.content, facts, told, signal)
  const trailer = files.trailer()
  if (trailer === null) throw bottleError('internal', 'The copy ended without a result.')
  faultPoint('smolmachines:after-tar')
  const volumes: VolumePart[] = []
  if (survey.hasWorkspace) {
    const place = { partsDir: target.partsDir, partial, file: '0.tar' }
    volumes.push(await saveFolder(machines, name, WORKSPACE, place, told, signal))
  }
  await settleBottle(tools, subject.runtime, state)
  return {
    reference: await publish(target.partsDir, path, ARTIFACTS['guest-tar']),
    digest: image.digest,
    fileBytes: image.bytes,
    config: found.config,
    survey,
    // What every byte of was told by the guest itself needs no second list.
    entries: null,
    frozenAt: null,
    root: null,
    volumes,
    marker: target.snapshotId,
    losesXattrs: !trailer.keepsXattrs,
    changedMeanwhile: trailer.changed,
    stoppedMs: null,
    keepsWorkspace: true,
  }
}
