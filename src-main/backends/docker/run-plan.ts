import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan, SidecarPlan } from '../backend.ts'
import type { RunRecipe } from '../guest/run-files.ts'
import type { UnitPlan } from './container-config.ts'
import type { ImageFacts } from './image-source.ts'
import { containerName, runVolumeName, sidecarName } from './labels.ts'
import { planVolumes } from './own-volumes.ts'

const WORKSPACE = '/workspace'

/** Pure: the agent's container, still without a network. */
export function agentUnit(
  plan: LaunchPlan,
  image: ImageFacts,
): UnitPlan & { readonly notices: readonly string[] } {
  const parts = plan.image.kind === 'snapshot' ? plan.image.snapshot.volumes : []
  const { own, others, notices } = planVolumes(plan.runId, image.volumes, plan.mounts, parts)
  return {
    name: containerName(plan.slug),
    role: 'agent',
    owner: plan,
    image,
    recipe: { argv: commandOf(plan.argv, image), env: plan.env, secrets: plan.secrets },
    user: plan.user,
    workdir: plan.workdir ?? (image.workdir || (plan.copyCwd ? WORKSPACE : null)),
    tty: plan.tty,
    ownVolumes: own,
    others,
    runVolume: runVolumeName(plan.runId),
    resources: plan.resources,
    network: 'default',
    notices,
  }
}

/** The plan's command line replaces both of the image's parts. */
export function commandOf(argv: readonly string[] | null, image: ImageFacts): readonly string[] {
  const own = argv ?? [...(image.entrypoint ?? []), ...(image.cmd ?? [])]
  if (own.length > 0) return own
  throw bottleError(
    'manifest-invalid',
    `The image ${image.reference} has no command of its own, and none is given.`,
  )
}

/** What a sidecar runs; the forge's variables go to the one of that name and are treated as secrets. */
export function sidecarRecipe(plan: LaunchPlan, sidecar: SidecarPlan, image: ImageFacts): RunRecipe {
  const forge = sidecar.name === 'forge' ? plan.forgeEnv : {}
  // A sidecar's command replaces the image's command, not its entrypoint, as in a compose file.
  const argv = sidecar.command ? [...(image.entrypoint ?? []), ...sidecar.command] : null
  return { argv: commandOf(argv, image), env: sidecar.env, secrets: { ...sidecar.secrets, ...forge } }
}

/** Pure: a sidecar's container on the run's own network. */
export function sidecarUnit(
  plan: LaunchPlan,
  sidecar: SidecarPlan,
  image: ImageFacts,
  firstVolume: number,
  network: string,
): UnitPlan {
  return {
    name: sidecarName(plan.slug, plan.runId, sidecar.name),
    role: 'sidecar',
    owner: plan,
    image,
    recipe: sidecarRecipe(plan, sidecar, image),
    user: null,
    workdir: null,
    tty: false,
    ownVolumes: planVolumes(plan.runId, image.volumes, [], [], firstVolume).own,
    others: [],
    runVolume: runVolumeName(plan.runId, sidecar.name),
    resources: { cpus: null, memoryBytes: null },
    network: { id: network, alias: sidecar.name },
  }
}
