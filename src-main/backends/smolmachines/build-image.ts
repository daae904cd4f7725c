import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import { runCommand } from '../../system/run-command.ts'
import type { LaunchPlan } from '../backend.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import { COPY_MS } from './client.ts'
import type { SmolContext } from './context.ts'
import type { SmolFeatures } from './features.ts'
import { runPaths } from './run-paths.ts'

/** smolvm builds no images itself. @throws BottleError before any side effect */
export async function requireBuilder(
  context: SmolContext,
  plan: LaunchPlan,
  features: SmolFeatures,
): Promise<void> {
  if (plan.image.kind !== 'build') return
  if (!features.localImages) {
    throw bottleError(
      'unsupported',
      `smolvm ${features.versionText} takes images from registries only, so none can be built for it. Upgrade to 1.1.0 or newer.`,
      { slug: plan.slug },
    )
  }
  await requireDocker(context, plan.slug)
}

async function requireDocker(context: SmolContext, slug: string): Promise<string> {
  const docker = await findProgram('docker', searchPath(context.env))
  if (docker) return docker
  throw bottleError(
    'engine-missing',
    'smolvm builds no images, and docker, which would do it, is not installed. Install Docker, or name an image.',
    { slug },
  )
}

/** Builds the plan's image with Docker and saves it as the archive that a machine is made from. @throws BottleError */
export async function buildArchive(
  context: SmolContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<string> {
  if (plan.image.kind !== 'build') throw bottleError('internal', 'There is nothing to build.')
  const docker = await requireDocker(context, plan.slug)
  const { context: folder, dockerfile, target } = plan.image
  if (!(await stat(join(folder, dockerfile)).catch(() => null))) {
    throw bottleError('image-missing', `There is no ${join(folder, dockerfile)} to build from.`, {
      slug: plan.slug,
    })
  }
  const tag = `bot-bottle-${plan.slug}-build:${plan.runId}`
  const archive = join(runPaths(context.home, plan).dir, 'image.tar')
  const temp = `${archive}.partial`
  const options = { env: dockerEnvironment(context), timeout: COPY_MS, signal }
  const file = ['-f', join(folder, dockerfile), ...(target === null ? [] : ['--target', target])]
  await runCommand(docker, ['build', '-q', '-t', tag, ...file, folder], options)
  try {
    await runCommand(docker, ['save', '-o', temp, tag], options)
    await rename(temp, archive)
    return archive
  } finally {
    await rm(temp, { force: true })
    // The machine has its own copy; what Docker keeps beyond the name is its own cache.
    await runCommand(docker, ['rmi', tag], { ...options, signal: AbortSignal.timeout(60_000) }).catch(
      () => undefined,
    )
  }
}

function dockerEnvironment(context: SmolContext): Record<string, string> {
  const env: Record<string, string> = { ...context.client.env }
  for (const [name, value] of Object.entries(context.env)) {
    if (/^(DOCKER|BUILDKIT)_\w+$/.test(name) && value !== undefined) env[name] = value
  }
  return env
}
