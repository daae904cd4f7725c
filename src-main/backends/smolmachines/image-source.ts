import { constants, copyFile, link, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan, ReportProgress } from '../backend.ts'
import { isImageName } from '../labels.ts'
import type { SmolContext } from './context.ts'
import type { SmolFeatures } from './features.ts'
import type { MachineSource } from './grammar.ts'
import { isRegistryReference } from './launch-plan.ts'
import { artifactPath, runPaths } from './run-paths.ts'

/** Pure but for looks at files: refuses a source that can't become a machine. @throws BottleError */
export async function requireSource(
  context: SmolContext,
  plan: LaunchPlan,
  features: SmolFeatures,
): Promise<void> {
  const { image, slug } = plan
  switch (image.kind) {
    case 'none':
      throw bottleError('manifest-invalid', 'A bottle on smolmachines needs an image.', { slug })
    case 'build':
      return (await import('./build-image.ts')).requireBuilder(context, plan, features)
    case 'image':
      return requireImage(plan, image.reference, features)
    case 'snapshot': {
      const { snapshot } = image
      if (snapshot.backend !== 'smolmachines') {
        throw bottleError(
          'unsupported',
          `${snapshot.slug}@${snapshot.id} was frozen by ${snapshot.backend} and is no machine of smolvm.`,
          { slug },
        )
      }
      const { path, name } = artifactPath(context.home, snapshot)
      if (!(await isFile(path))) {
        throw bottleError('snapshot-missing', `The file of snapshot ${snapshot.id} (${path}) is not there.`, {
          slug,
        })
      }
      if (name === 'image.tar') requireArchives(features, slug)
      if (name === 'bottle.smolcheckpoint' && !features.checkpoint) {
        throw bottleError(
          'unsupported',
          `smolvm ${features.versionText} can't restore checkpoints, and the snapshot ${snapshot.id} is one. Upgrade smolvm.`,
          { slug },
        )
      }
    }
  }
}

async function requireImage(plan: LaunchPlan, reference: string, features: SmolFeatures): Promise<void> {
  const { slug } = plan
  if (!isRegistryReference(reference)) {
    requireArchives(features, slug)
    if (!reference.startsWith('/')) {
      throw bottleError('manifest-invalid', `The image ${reference} has to be an absolute path.`, { slug })
    }
    if (await stat(reference).catch(() => null)) return
    throw bottleError('image-missing', `There is no image archive ${reference}.`, { slug })
  }
  if (!isImageName(reference)) {
    throw bottleError('manifest-invalid', `"${reference}" is not a name for an image.`, { slug })
  }
  if (plan.network === 'none' && !features.pullsWithoutNetwork) {
    throw bottleError(
      'policy-unenforceable',
      `This bottle must not reach the network, and smolvm ${features.versionText} fetches ${reference} from inside the machine. Upgrade to smolvm 1.23, use an image archive, or start it once with --unenforced-egress.`,
      { slug },
    )
  }
}

function requireArchives(features: SmolFeatures, slug: string): void {
  if (features.localImages) return
  throw bottleError(
    'unsupported',
    `smolvm ${features.versionText} takes images from registries only; image archives need 1.1.0 or newer.`,
    { slug },
  )
}

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isFile() === true

/** What the machine is made from; a snapshot's file gets a second name that lives as long as the run. @throws BottleError */
export async function machineSource(
  context: SmolContext,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<MachineSource> {
  const { image } = plan
  switch (image.kind) {
    case 'none':
      throw bottleError('manifest-invalid', 'A bottle on smolmachines needs an image.', { slug: plan.slug })
    case 'image':
      return isRegistryReference(image.reference)
        ? { kind: 'image', reference: image.reference }
        : { kind: 'archive', path: image.reference }
    case 'build': {
      progress({ phase: 'building image', current: null, total: null })
      const { buildArchive } = await import('./build-image.ts')
      return { kind: 'archive', path: await buildArchive(context, plan, signal) }
    }
    case 'snapshot': {
      const { path, name } = artifactPath(context.home, image.snapshot)
      const own = join(runPaths(context.home, plan).dir, name)
      await keepArtifact(path, own)
      if (name === 'image.tar') return { kind: 'archive', path: own }
      return { kind: name === 'bottle.smolcheckpoint' ? 'checkpoint' : 'pack', path: own }
    }
  }
}

/**
 * A machine goes back to the file that it was made from. Deleting the snapshot, or its bottle's way into the trash,
 * must not take it away from machines that live on it, so each run has a name of its own for the same bytes.
 */
async function keepArtifact(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true, mode: 0o700 })
  await rm(to, { force: true })
  try {
    await link(from, to)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw bottleError('snapshot-missing', `The snapshot's file ${from} is not there.`, { cause: thrown })
    }
    await copyFile(from, to, constants.COPYFILE_FICLONE)
  }
}
