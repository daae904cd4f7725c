import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bottleError } from '../../../system/bottle-error.ts'
import { requireSpace } from '../../../system/disk-space.ts'
import { faultPoint } from '../../../system/fault.ts'
import type { ReportProgress } from '../../backend.ts'
import { loadArchive, loadConfig } from '../../images/load-archive.ts'
import type { LoadRequest, Portable } from '../../portable.ts'
import { ARTIFACTS, dropPartial, makePartial, publish } from '../capture-files.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { imageName } from '../capture-tar.ts'
import { snapshotFolder } from '../run-paths.ts'
import { readImageFile, readLayer } from './image-file.ts'
import { workspaceOf } from './workspace-layers.ts'

/** Facts of the machine that was frozen elsewhere; of nothing here. */
const ELSEWHERE = [
  'machine',
  'machineCreatedAt',
  'stoodStill',
  'diskMark',
  'marker',
  'entries',
  'stoppedMs',
  'workspace',
]
const WORKSPACE_FILE = 'workspace.tar'

/**
 * Writes an image as the archive that smolvm makes machines of. It gets its name only when all was verified; a failure
 * or an abort leaves nothing. @throws BottleError
 */
export async function loadSnapshot(
  tools: FreezerTools,
  request: LoadRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): ReturnType<Portable['load']> {
  request.verified.catch(() => undefined)
  const { snapshot, image } = request
  const features = await tools.client.features(signal)
  if (!features.localImages) {
    throw bottleError(
      'unsupported',
      `smolvm ${features.versionText} makes no machine of an image of this machine. Version 1.1.0 or newer does.`,
    )
  }
  for (const diffId of image.diffIds) {
    if (request.layers.has(diffId)) continue
    throw bottleError('artifact-base-missing', `The layer ${diffId} of this artifact is not here.`)
  }
  const partsDir = snapshotFolder(tools.home, snapshot)
  const reference = imageName(snapshot.slug, snapshot.id)
  const archive = loadArchive(loadConfig(request, reference), reference, image.diffIds, request.layers)
  const partial = await makePartial(partsDir)
  try {
    await requireSpace(dirname(dirname(partsDir)), 'This import', archive.bytes, 0)
    const path = join(partial, ARTIFACTS['guest-tar'])
    const told = (current: number) => progress({ phase: 'copying', current, total: archive.bytes })
    const content = archive.stream(
      () => request.verified,
      told,
      () => undefined,
      signal,
    )
    const written = await write(path, content, signal)
    const { layers, config, platform } = await readImageFile(path)
    const hidden = await workspaceOf(
      layers.map((place) => () => readLayer(path, place, signal)),
      signal,
    )
    const workspace = hidden && (await write(join(partial, WORKSPACE_FILE), hidden, signal))
    signal.throwIfAborted()
    faultPoint('smolmachines:before-publish')
    if (workspace) await publish(partsDir, join(partial, WORKSPACE_FILE), WORKSPACE_FILE)
    const kept = Object.entries(snapshot.facts).filter(([name]) => !ELSEWHERE.includes(name))
    return {
      reference: await publish(partsDir, path, ARTIFACTS['guest-tar']),
      digest: `sha256:${written.sha256}`,
      bytes: written.bytes + (workspace?.bytes ?? 0),
      ownBytes: written.bytes + (workspace?.bytes ?? 0),
      facts: {
        ...Object.fromEntries(kept),
        way: 'guest-tar',
        smolvm: features.versionText,
        fileBytes: written.bytes,
        platform,
        config,
        layers: layers.length,
        ...(workspace ? { workspace: { file: WORKSPACE_FILE, ...workspace } } : {}),
      },
    }
  } catch (thrown) {
    // Volumes of the same snapshot may be in the folder: they are whoever's that put them there.
    for (const name of [ARTIFACTS['guest-tar'], WORKSPACE_FILE])
      await rm(join(partsDir, name), { force: true })
    throw thrown
  } finally {
    await dropPartial(partsDir)
  }
}

async function write(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const handle = await open(path, 'wx', 0o600)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of content) {
      if (signal.aborted) throw bottleError('cancelled')
      hash.update(chunk)
      bytes += chunk.length
      await handle.writeFile(chunk)
    }
  } finally {
    await handle.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}
