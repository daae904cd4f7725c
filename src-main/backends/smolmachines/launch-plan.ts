import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { isEnvName } from '../guest/run-files.ts'
import { containerName, RUN_DIR } from '../labels.ts'
import type { SmolFeatures } from './features.ts'
import { DEFAULT_CPUS, DEFAULT_MEMORY_MIB, type MachineSource, type MachineSpec } from './grammar.ts'
import type { Owner } from './owners.ts'

const MIB = 1024 * 1024
/** Below this no guest boots. */
const LEAST_MIB = 256

/** Pure: refuses what no machine of this version can be given. @throws BottleError */
export function checkPlan(plan: LaunchPlan, features: SmolFeatures): void {
  const { slug } = plan
  if (Object.keys(plan.forgeEnv).length > 0) {
    throw bottleError(
      'forge-sidecar-missing',
      'A bottle on smolmachines has no sidecars, so there is no forge sidecar to give the forge environment to.',
      { slug },
    )
  }
  const [sidecar] = plan.sidecars
  if (sidecar) {
    throw bottleError(
      'unsupported',
      `smolmachines can't run sidecars, and this bottle has one named ${sidecar.name}. Run it on docker.`,
      { slug },
    )
  }
  if (plan.argv?.length === 0) throw bottleError('manifest-invalid', 'The command is empty.')
  for (const [name, value] of Object.entries({ ...plan.env, ...plan.secrets })) {
    if (!isEnvName(name)) throw bottleError('manifest-invalid', `"${name}" is not a name for a variable.`)
    if (value.includes('\0'))
      throw bottleError('manifest-invalid', `The variable ${name} has a NUL character.`)
  }
  if (plan.argv?.some((word) => word.includes('\0'))) {
    throw bottleError('manifest-invalid', 'The command has a NUL character; no program can take it.')
  }
  if (plan.user !== null && !isRoot(plan.user) && !features.createUser) {
    throw bottleError(
      'unsupported',
      `smolvm ${features.versionText} runs everything as the image's own user; this bottle wants ${plan.user}. Upgrade smolvm, or leave "user" out.`,
      { slug },
    )
  }
  checkMounts(plan)
}

const isRoot = (user: string): boolean => ['', '0', 'root'].includes(user.split(':')[0] ?? '')

function checkMounts({ mounts, slug }: LaunchPlan): void {
  for (const { type, source, target } of mounts) {
    if (type !== 'bind') {
      throw bottleError(
        'unsupported',
        type === 'volume'
          ? `smolmachines has no named volumes, and this bottle mounts ${source || 'one'} at ${target}. Mount a folder instead, or leave it out: the machine's own disk stays.`
          : `smolmachines can't mount a tmpfs at ${target}. /tmp is one already.`,
        { slug },
      )
    }
    if (`${source}${target}`.includes(':')) {
      throw bottleError('unsupported', `smolvm can't mount a path with a colon: ${source} at ${target}.`, {
        slug,
      })
    }
    if (target === RUN_DIR || target === '/run') {
      throw bottleError('manifest-invalid', `${target} can't be a mount: Icebox uses that folder.`)
    }
  }
}

/**
 * Pure: the name for a new machine. smolvm can't rename, so while the previous run's machine holds the plain name the
 * new one gets the run's id behind it. A name that somebody else has is refused by the engine itself.
 */
export function machineName(plan: LaunchPlan): string {
  const plain = containerName(plan.slug)
  return plan.previous?.name === plain ? `${plain}-${plan.runId}` : plain
}

/** Pure: the machine that a plan wants. */
export function machineSpec(
  plan: LaunchPlan,
  name: string,
  source: MachineSource,
  owner: Owner,
  labels: Readonly<Record<string, string>>,
): MachineSpec {
  const { cpus, memoryBytes } = plan.resources
  return {
    name,
    source,
    cpus: cpus === null ? DEFAULT_CPUS : Math.max(1, Math.ceil(cpus)),
    memoryMib: memoryBytes === null ? DEFAULT_MEMORY_MIB : Math.max(LEAST_MIB, Math.ceil(memoryBytes / MIB)),
    network: plan.network !== 'none',
    mounts: plan.mounts.map(({ source: from, target, readOnly }) => ({ source: from, target, readOnly })),
    user: plan.user !== null && !isRoot(plan.user) ? plan.user : null,
    labels: { ...labels, 'dev.icebox.role': owner.role },
  }
}

/** Pure: what a person should know of a launch that is going to happen. */
export function launchNotices(plan: LaunchPlan, features: SmolFeatures): readonly string[] {
  const { image, resources } = plan
  const reference = image.kind === 'image' ? image.reference : null
  const isCheckpoint = image.kind === 'snapshot' && image.snapshot.reference.endsWith('.smolcheckpoint')
  const notices: readonly (readonly [boolean, string])[] = [
    [
      reference !== null &&
        isRegistryReference(reference) &&
        !reference.includes('@sha256:') &&
        !features.packsLocalImages,
      `${reference} is not pinned by a digest: smolvm ${features.versionText} fetches it again when the bottle is frozen, and a moved tag would change what lies below its files.`,
    ],
    [
      plan.mounts.length > 0 && features.checkpoint,
      'A machine with folders of this machine can’t be checkpointed, so a freeze will have to stop it.',
    ],
    [
      resources.cpus !== null && !Number.isInteger(resources.cpus),
      `smolvm gives whole CPUs only: ${Math.max(1, Math.ceil(resources.cpus ?? 1))} instead of ${resources.cpus}.`,
    ],
    [
      isCheckpoint,
      'The machine comes back with its memory: what ran beside the agent goes on, and the agent itself begins anew.',
    ],
    [
      isCheckpoint && (resources.cpus !== null || resources.memoryBytes !== null),
      'A checkpoint brings its own number of CPUs and its own memory; the bottle’s "resources" are not used.',
    ],
  ]
  return notices.filter(([holds]) => holds).map(([, sentence]) => sentence)
}

/** True for an image that is fetched, false for a file or folder of this machine. Pure. */
export function isRegistryReference(reference: string): boolean {
  return !/^(\/|\.{1,2}\/)/.test(reference)
}
