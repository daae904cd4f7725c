import { access, stat } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { isEnvName } from '../guest/run-files.ts'
import { RUN_DIR } from '../labels.ts'
import { TMUX_FIX } from '../local/terminal.ts'
import { requireRelease } from './client.ts'
import type { ContainerContext } from './context.ts'
import { mountArguments, resourceArguments } from './create-arguments.ts'
import {
  hostArchitecture,
  type ImageFacts,
  imageFacts,
  lookAtImage,
  noImage,
  requireImageName,
  snapshotImage,
} from './image-source.ts'

/** Said wherever an image turns out to have no shell. */
export const NO_SHELL_NOTICE =
  "The image has no shell: its command and plain variables are visible in the container, it can be given no secrets, and nothing tells the agent's exit code."

/** Refuses what this engine can't do for the plan, before anything is made. @throws BottleError */
export async function preflight(
  context: ContainerContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  checkPlan(plan)
  await checkFolders(plan)
  if (plan.tty && !(await context.tmux())) {
    throw bottleError(
      'engine-missing',
      `An interactive bottle on Apple's container needs tmux. Install it: ${TMUX_FIX}`,
    )
  }
  await requireRelease(context.client, signal)
  return checkImage(context, plan, signal)
}

/** Pure: refuses what no container of this engine can be given. @throws BottleError */
export function checkPlan(plan: LaunchPlan): void {
  const { slug } = plan
  if (Object.keys(plan.forgeEnv).length > 0) {
    throw bottleError(
      'forge-sidecar-missing',
      "A bottle on Apple's container has no sidecars, so there is no forge sidecar to give the forge environment to.",
      { slug },
    )
  }
  if (plan.sidecars.length > 0) {
    throw bottleError(
      'unsupported',
      "A bottle on Apple's container has no sidecars. Run it on docker, or leave them out.",
      { slug },
    )
  }
  if (plan.network === 'none') {
    throw bottleError(
      'policy-unenforceable',
      "This bottle must not reach the network, and Apple's container can't ensure that. Run it on docker, or start it once with --unenforced-egress.",
      { slug },
    )
  }
  for (const [name, value] of Object.entries({ ...plan.env, ...plan.secrets })) {
    if (!isEnvName(name)) throw bottleError('manifest-invalid', `"${name}" is not a name for a variable.`)
    if (value.includes('\0'))
      throw bottleError('manifest-invalid', `The variable ${name} has a NUL character.`)
  }
  if (plan.argv?.some((word) => word.includes('\0'))) {
    throw bottleError('manifest-invalid', 'The command has a NUL character; no program can take it.')
  }
  if (plan.argv?.length === 0) throw bottleError('manifest-invalid', 'The command is empty.')
  resourceArguments(plan.resources)
  for (const mount of plan.mounts) {
    mountArguments(mount)
    if (isWithin(RUN_DIR, mount.target) || isWithin(mount.target, RUN_DIR)) {
      throw bottleError('manifest-invalid', `${mount.target} can't be a mount: Icebox uses that folder.`)
    }
  }
}

/** Pure: true when `path` is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  const below = posix.relative(posix.normalize(folder), posix.normalize(path))
  return below === '' || (!below.startsWith('..') && !posix.isAbsolute(below))
}

/** Only folders can be bound, so a file would fail late and in the engine's words. */
async function checkFolders(plan: LaunchPlan): Promise<void> {
  const { slug } = plan
  for (const { type, source } of plan.mounts) {
    if (type !== 'bind') continue
    const found = await stat(source).catch(() => null)
    if (!found) throw bottleError('not-found', `The folder to mount, ${source}, does not exist.`, { slug })
    if (!found.isDirectory()) {
      throw bottleError('unsupported', `Apple's container mounts folders only, and ${source} is a file.`, {
        slug,
      })
    }
  }
  if (!plan.copyCwd) return
  const found = await stat(plan.copyCwd).catch(() => null)
  if (!found?.isDirectory()) throw bottleError('not-found', `There is no folder ${plan.copyCwd} to copy.`)
  if (`${plan.stateDir}${sep}`.startsWith(`${plan.copyCwd.replace(/\/+$/, '')}${sep}`)) {
    throw bottleError(
      'unsupported',
      `${plan.copyCwd} holds Icebox's own state, so it can't be copied into a bottle.`,
    )
  }
}

async function checkImage(
  { client }: ContainerContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { image, slug } = plan
  if (image.kind === 'none') throw noImage(slug)
  if (image.kind === 'build') {
    const file = join(image.context, image.dockerfile)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (!isThere && image.isShipped !== true)
      throw bottleError('image-missing', `There is no ${file} to build from.`, { slug })
    return []
  }
  if (image.kind === 'snapshot')
    return imageNotices(plan, await snapshotImage(client, image.snapshot, signal))
  requireImageName(image.reference)
  const found = await lookAtImage(client, image.reference, signal)
  if (!found) return [`The image ${image.reference} is not here yet and will be pulled.`]
  return imageNotices(plan, imageFacts(found))
}

/** Pure: what a person should know of the plan on that image. @throws BottleError for what it can't carry */
export function imageNotices(plan: LaunchPlan, image: ImageFacts): readonly string[] {
  requireRoomForFiles(plan, image)
  requirePlatform(plan, image)
  if (image.hasShell === false) requireNoSecrets(plan)
  return [
    ...(image.platform
      ? [
          `The image is for ${image.platform}, not for this machine's ${hostArchitecture()}: it is translated.`,
        ]
      : []),
    ...(image.hasShell === false ? [NO_SHELL_NOTICE] : []),
  ]
}

/** Pure: one kind of machine translates for one other. @throws BottleError `unsupported` */
function requirePlatform({ slug }: LaunchPlan, { platform, reference }: ImageFacts): void {
  const own = hostArchitecture()
  if (!platform || (own === 'arm64' && platform === 'linux/amd64')) return
  throw bottleError(
    'unsupported',
    `The image ${reference} is for ${platform}, and this machine runs ${own}.`,
    {
      slug,
    },
  )
}

/** Pure: an image without a shell can take no files of ours. @throws BottleError `unsupported` */
export function requireNoSecrets(plan: LaunchPlan): void {
  const names = Object.keys(plan.secrets)
  const why = `The image of ${plan.slug} has no shell, and without one`
  if (names.length > 0) {
    throw bottleError('unsupported', `${why} it can't be given the secret ${names.join(', ')}.`, {
      slug: plan.slug,
    })
  }
  if (Object.keys(plan.homeFiles).length > 0 || plan.copyCwd) {
    throw bottleError('unsupported', `${why} no files can be put into it.`, { slug: plan.slug })
  }
}

/** Pure: what is given to a bottle must not be written through a mount into a folder of this machine. */
function requireRoomForFiles(plan: LaunchPlan, image: ImageFacts): void {
  const { slug } = plan
  const binds = plan.mounts.filter((mount) => mount.type === 'bind')
  const workdir = workdirOf(plan, image) ?? '/'
  const hiding = plan.copyCwd ? plan.mounts.find(({ target }) => isWithin(workdir, target)) : undefined
  if (hiding) {
    throw bottleError(
      'manifest-invalid',
      `${hiding.target} is a mount, so nothing can be copied into ${workdir} below it.`,
      { slug },
    )
  }
  if (Object.keys(plan.homeFiles).length === 0) return
  const isRoot = ['', '0', 'root'].includes((plan.user ?? image.user).split(':')[0] ?? '')
  const home = plan.env.HOME ?? image.home ?? (isRoot ? '/root' : null)
  const shared = binds.find(({ target }) => (home ? isWithin(home, target) : isWithin(target, '/home')))
  if (shared) {
    throw bottleError(
      'manifest-invalid',
      `${shared.target} is a folder of this machine and holds the agent's home, so its files can't be put there.`,
      { slug },
    )
  }
}

/** Pure: where the agent starts; null leaves it to the image. */
export function workdirOf(plan: LaunchPlan, image: Pick<ImageFacts, 'workdir'>): string | null {
  return plan.workdir ?? (image.workdir || (plan.copyCwd ? '/workspace' : null))
}
