import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bottleError } from '../../../system/bottle-error.ts'
import type { ReportProgress } from '../../backend.ts'
import type { LayerFile, LoadedImage, LoadRequest } from '../../portable.ts'
import { capturedOf } from '../capture.ts'
import { flushFileSystem, requireSpace } from '../clone-trees.ts'
import type { HostContext } from '../host-context.ts'
import { TREES } from '../live-trees.ts'
import { snapshotPath } from '../paths.ts'
import { deleteSnapshotTrees, finishSnapshot, partialOf } from '../snapshot-trees.ts'
import { treeManifest } from '../tree-manifest.ts'
import { IMAGE_HOME, IMAGE_WORKSPACE } from './image-paths.ts'
import { findTar } from './tar-program.ts'
import { twoTrees } from './two-trees.ts'
import { unpackTrees } from './unpack-trees.ts'

/**
 * Puts an image back as the two trees of a snapshot: a host bottle's own, or of any other image the working folder and
 * the user's home. A failure or an abort leaves nothing.
 */
export async function loadSnapshot(
  context: HostContext,
  request: LoadRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<LoadedImage> {
  const given = layersOf(request)
  const program = await findTar(context.env)
  if (!program) {
    throw bottleError(
      'engine-missing',
      'Importing a host bottle needs GNU tar or bsdtar. Install it: sudo apt install tar',
    )
  }
  const partsDir = snapshotPath(context.home, request.snapshot.slug, request.snapshot.id)
  await untilAborted(request.verified, signal)
  const general = isHostImage(request) ? null : await twoTrees(request, given, signal)
  const layers = general?.layers ?? given
  const total = layers.reduce((sum, layer) => sum + layer.bytes, 0)
  await mkdir(dirname(partsDir), { recursive: true, mode: 0o700 })
  await deleteSnapshotTrees(partsDir, signal)
  try {
    const partial = partialOf(partsDir)
    await requireSpace(dirname(partsDir), total)
    let current = 0
    const report = (bytes: number) => {
      current += bytes
      progress({ phase: 'copying', current, total })
    }
    report(0)
    await unpackTrees(partial, layers, program, report, signal, general !== null)
    const manifest = await treeManifest(partial, TREES, signal)
    // What was imported may have no other copy, so it is on the disk before anything names it.
    await flushFileSystem(partial)
    signal.throwIfAborted()
    await finishSnapshot(partsDir, manifest)
    const { reference, digest, bytes, ownBytes, facts } = capturedOf(partsDir, manifest, null)
    return { reference, digest, bytes, ownBytes, facts, leftBehind: general?.leftBehind() ?? [] }
  } catch (thrown) {
    await deleteSnapshotTrees(partsDir)
    throw thrown
  }
}

/** True for an image whose config is that of a host bottle. */
function isHostImage({ image }: LoadRequest): boolean {
  return (
    image.config.WorkingDir === IMAGE_WORKSPACE && image.config.Env?.includes(`HOME=${IMAGE_HOME}`) === true
  )
}

function layersOf(request: LoadRequest): readonly LayerFile[] {
  return request.image.diffIds.map((diffId) => {
    const layer = request.layers.get(diffId)
    // Nothing is ever held here, so a layer that did not come is nowhere.
    if (!layer)
      throw bottleError('artifact-base-missing', `The layer ${diffId} of this artifact is not here.`)
    return layer
  })
}

/** Waits for something that knows nothing of this call's signal. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
