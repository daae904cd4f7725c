import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan, MountPlan } from '../backend.ts'
import type { RunRecipe } from '../guest/run-files.ts'
import { LABEL, ownerLabels, RUN_DIR } from '../labels.ts'
import type { ImageFacts } from './image-source.ts'
import { labelArgument } from './names.ts'

const MIB = 1_048_576
/** The engine refuses less. */
export const LEAST_MEMORY = 200 * MIB

/** One container to make. */
export interface ContainerPlan {
  readonly name: string
  readonly run: LaunchPlan
  readonly image: ImageFacts
  /** What an image without a shell gets in its config; the others have it in files. */
  readonly recipe: RunRecipe
  readonly hasShell: boolean
  /** Bound to `/run/icebox`. */
  readonly guestFolder: string
}

/**
 * Pure: the argument list that makes a container, and starts it at once where it has no terminal, which another
 * process has to hold. All options stand before the image.
 */
export function createArguments(plan: ContainerPlan): readonly string[] {
  const { run, image, recipe, hasShell } = plan
  const labels = { ...ownerLabels(run), [LABEL.role]: 'agent' }
  const [program = '', ...rest] = recipe.argv
  return [
    ...(run.tty ? ['create'] : ['run', '--detach', '--progress', 'none']),
    ...['--name', plan.name],
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', labelArgument(key, value)]),
    ...[...(hasShell ? [runMount(plan.guestFolder)] : []), ...run.mounts].flatMap(mountArguments),
    ...(run.user ? ['--user', run.user] : []),
    ...(!hasShell && run.workdir ? ['--workdir', run.workdir] : []),
    ...(run.tty ? ['--interactive', '--tty'] : []),
    ...resourceArguments(run.resources),
    ...(image.platform ? ['--platform', image.platform, '--rosetta'] : []),
    ...(hasShell ? [] : Object.entries(recipe.env).flatMap(([name, value]) => ['--env', `${name}=${value}`])),
    ...['--entrypoint', hasShell ? `${RUN_DIR}/start` : program],
    image.reference,
    ...(hasShell ? [] : rest),
  ]
}

function runMount(source: string): MountPlan {
  return { type: 'bind', source, target: RUN_DIR, readOnly: false, external: false }
}

/** Pure. @throws BottleError for what the engine can't mount */
export function mountArguments(mount: MountPlan): readonly string[] {
  const { type, source, target, readOnly } = mount
  if (type === 'tmpfs') return ['--tmpfs', target]
  if (type === 'volume') {
    throw bottleError(
      'unsupported',
      `A bottle on Apple's container has no volumes, so ${target} can't be one.`,
    )
  }
  if (!source.includes(':') && !target.includes(':')) {
    return ['--volume', `${source}:${target}${readOnly ? ':ro' : ''}`]
  }
  if (source.includes(',') || target.includes(',')) {
    throw bottleError('unsupported', `${source} can't be mounted: its name has a colon and a comma.`)
  }
  return ['--mount', `type=bind,source=${source},target=${target}${readOnly ? ',readonly' : ''}`]
}

/** Pure. @throws BottleError `unsupported` for what the engine can't give */
export function resourceArguments({ cpus, memoryBytes }: LaunchPlan['resources']): readonly string[] {
  if (cpus !== null && (!Number.isInteger(cpus) || cpus < 1)) {
    throw bottleError(
      'unsupported',
      `Apple's container gives whole processors only, so ${cpus} can't be had. Write ${Math.max(1, Math.ceil(cpus))}.`,
    )
  }
  if (memoryBytes !== null && memoryBytes < LEAST_MEMORY) {
    throw bottleError('unsupported', "Apple's container gives a bottle 200 MiB of memory or more, not less.")
  }
  return [
    ...(cpus === null ? [] : ['--cpus', String(cpus)]),
    ...(memoryBytes === null ? [] : ['--memory', `${Math.ceil(memoryBytes / MIB)}M`]),
  ]
}
