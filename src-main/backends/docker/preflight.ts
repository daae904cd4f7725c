import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { isEnvName } from '../guest/run-files.ts'
import type { Engine } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { inspectImage, keepLook } from './image-source.ts'
import { isContainerName, requireNamePart } from './labels.ts'
import { coversRunDir, requireParts } from './own-volumes.ts'

/** Refuses what this engine can't do for the plan, before anything is made. @throws BottleError */
export async function preflightDocker(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<string[]> {
  checkPlan(plan)
  await checkMounts(engine, plan, signal)
  return checkImage(engine, home, plan, signal)
}

/** Pure: refuses names and values that no container can be given. @throws BottleError */
export function checkPlan(plan: LaunchPlan): void {
  requireNamePart(plan.runId, 'a run id')
  for (const sidecar of plan.sidecars) requireNamePart(sidecar.name, 'the name of a sidecar')
  if (Object.keys(plan.forgeEnv).length > 0 && !plan.sidecars.some((sidecar) => sidecar.name === 'forge')) {
    throw bottleError(
      'forge-sidecar-missing',
      `The bottle ${plan.slug} has no sidecar named "forge" to give the forge's variables to.`,
      {
        slug: plan.slug,
      },
    )
  }
  const bags = [
    plan.env,
    plan.secrets,
    plan.forgeEnv,
    ...plan.sidecars.flatMap((one) => [one.env, one.secrets]),
  ]
  for (const bag of bags) {
    for (const [name, value] of Object.entries(bag)) {
      if (!isEnvName(name)) throw bottleError('manifest-invalid', `"${name}" is not a name for a variable.`)
      if (value.includes('\0'))
        throw bottleError('manifest-invalid', `The variable ${name} has a NUL character.`)
    }
  }
  for (const name of [
    ...Object.keys(plan.secrets),
    ...plan.sidecars.flatMap((one) => Object.keys(one.secrets)),
  ]) {
    // A secret may have to be delivered as a file of that name.
    if (name.includes('/') || name === '.' || name === '..') {
      throw bottleError('manifest-invalid', `"${name}" is not a name for a secret.`)
    }
  }
  if (plan.argv?.some((word) => word.includes('\0'))) {
    throw bottleError('manifest-invalid', 'The command has a NUL character; no program can take it.')
  }
  if (plan.argv?.length === 0) throw bottleError('manifest-invalid', 'The command is empty.')
}

async function checkMounts(engine: Engine, plan: LaunchPlan, signal: AbortSignal): Promise<void> {
  const endpoint = await engine.endpoint()
  const hiding = plan.mounts.find((mount) => coversRunDir(mount.target))
  if (hiding)
    throw bottleError('manifest-invalid', `${hiding.target} can't be a mount: Icebox uses that folder.`)
  const binds = plan.mounts.filter((mount) => mount.type === 'bind')
  const [first] = binds
  if (first && endpoint.remote) {
    throw bottleError(
      'engine-remote',
      `The Docker engine at ${endpoint.url} is on another machine, so ${first.source} can't be mounted. Use a volume, or copy the folder in.`,
      { slug: plan.slug },
    )
  }
  for (const bind of binds) {
    const isThere = await stat(bind.source).then(
      () => true,
      () => false,
    )
    if (!isThere)
      throw bottleError('not-found', `The folder to mount, ${bind.source}, does not exist.`, {
        slug: plan.slug,
      })
  }
  for (const mount of plan.mounts) {
    if (mount.type === 'volume' && mount.external) await requireVolume(engine, mount.source, signal)
  }
}

async function requireVolume(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  if (!isContainerName(name)) throw bottleError('manifest-invalid', `"${name}" is not a name for a volume.`)
  try {
    await engine.call(`look at volume ${name}`, signal, (docker, abortSignal) =>
      docker.getVolume(name).inspect({ abortSignal }),
    )
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
    throw bottleError(
      'not-found',
      `The external volume "${name}" does not exist. Make it with \`docker volume create\`.`,
    )
  }
}

async function checkImage(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<string[]> {
  const notices: string[] = []
  const { image } = plan
  if (image.kind === 'none') {
    throw bottleError('manifest-invalid', 'A bottle on Docker needs an image or a build.', {
      slug: plan.slug,
    })
  }
  if (image.kind === 'build') {
    const file = join(image.context, image.dockerfile)
    const isThere = await stat(file).then(
      () => true,
      () => false,
    )
    if (!isThere && image.isShipped !== true)
      throw bottleError('image-missing', `There is no ${file} to build from.`, { slug: plan.slug })
    return notices
  }
  const reference = image.kind === 'snapshot' ? image.snapshot.reference : image.reference
  const found = await inspectImage(engine, reference, signal)
  if (image.kind === 'image') {
    if (!found) notices.push(`The image ${reference} is not here yet and will be pulled.`)
    return notices
  }
  if (!found || (image.snapshot.digest && found.Id !== image.snapshot.digest)) {
    const why = found ? 'is no longer what the snapshot made' : 'is not in Docker'
    throw bottleError(
      'snapshot-missing',
      `The image of snapshot ${image.snapshot.id} (${reference}) ${why}.`,
      {
        slug: plan.slug,
      },
    )
  }
  await requireParts(home, image.snapshot)
  keepLook(image.snapshot, found)
  if (image.snapshot.facts.hasShell === false) notices.push(NO_SHELL_NOTICE)
  return notices
}

/** Said wherever an image turns out to have no shell. */
export const NO_SHELL_NOTICE =
  'The image has no shell: its command and plain variables are visible in the container, and secrets are given as files in /run/icebox/secrets.'
