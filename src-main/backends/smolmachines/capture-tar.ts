import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { CaptureJob, Taken } from './capture.ts'
import { ARTIFACTS, makePartial, publish, writeCaptureState } from './capture-files.ts'
import { writeImage } from './capture-image.ts'
import { mark } from './capture-marker.ts'
import { readGuest, savePart } from './capture-parts.ts'
import { settleBottle } from './capture-settle.ts'
import { readImageFile, readLayer } from './portable/image-file.ts'
import { workspaceOf } from './portable/workspace-layers.ts'
import { smolFacts } from './run-state.ts'

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
  const { guestDir } = smolFacts(subject.runtime)
  const files = readGuest(machines, name, { keepsMarker: true, withWorkspace: true, guestDir }, signal)
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
  const { layers } = await readImageFile(path)
  const hidden = await workspaceOf(
    layers.map((layer) => () => readLayer(path, layer, signal)),
    signal,
  )
  const place = { partsDir: target.partsDir, partial, file: 'workspace.tar' }
  const workspace = hidden && (await savePart(hidden, place, told))
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
    workspace,
    volumes: [],
    marker: target.snapshotId,
    losesXattrs: !trailer.keepsXattrs,
    changedMeanwhile: trailer.changed,
    stoppedMs: null,
    keepsWorkspace: true,
  }
}
