import type { LaunchPlan, MountPlan } from '../backend.ts'
import type { RunRecipe } from '../guest/run-files.ts'
import type { ImageFacts } from './image-source.ts'
import { LABEL, ownerLabels, RUN_DIR } from './labels.ts'
import type { OwnVolume } from './own-volumes.ts'

/** One container to make: the agent or a sidecar. */
export interface UnitPlan {
  readonly name: string
  readonly role: 'agent' | 'sidecar'
  readonly owner: { readonly rootId: string; readonly slug: string; readonly runId: string }
  readonly image: ImageFacts
  readonly recipe: RunRecipe
  readonly user: string | null
  readonly workdir: string | null
  readonly tty: boolean
  readonly ownVolumes: readonly OwnVolume[]
  readonly others: readonly MountPlan[]
  readonly runVolume: string
  readonly resources: LaunchPlan['resources']
  /** `default`, `none`, or the id of the run's own network with this container's name in it. */
  readonly network: 'default' | 'none' | { readonly id: string; readonly alias: string }
}

/** The wrapper that reads everything else from files. */
export const START_COMMAND = `${RUN_DIR}/start`

/**
 * Pure: the body of `POST /containers/create`. With a shell in the image it carries nothing of the run;
 * without one it has to carry command line and plain environment, and still no secret.
 */
export function containerBody(unit: UnitPlan, hasShell: boolean): Record<string, unknown> {
  const env = Object.entries(unit.recipe.env).map(([name, value]) => `${name}=${value}`)
  const network = unit.network
  return {
    Image: unit.image.reference,
    Entrypoint: hasShell ? [START_COMMAND] : [...unit.recipe.argv],
    Cmd: [],
    Env: hasShell ? [] : env,
    ...(unit.user ? { User: unit.user } : {}),
    ...(unit.workdir ? { WorkingDir: unit.workdir } : {}),
    Tty: unit.tty,
    OpenStdin: unit.tty,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Labels: {
      ...ownerLabels(unit.owner),
      [LABEL.role]: unit.role,
      // Inherited from a snapshot's image otherwise.
      [LABEL.snapshot]: '',
      [LABEL.record]: '',
      [LABEL.snapshotRoot]: '',
    },
    HostConfig: {
      Init: true,
      AutoRemove: false,
      Mounts: [
        runMount(unit),
        ...unit.ownVolumes.map((volume) => ownMount(volume, unit.owner)),
        ...unit.others.map(otherMount),
      ],
      ...(unit.resources.cpus ? { NanoCpus: Math.round(unit.resources.cpus * 1e9) } : {}),
      ...(unit.resources.memoryBytes ? { Memory: unit.resources.memoryBytes } : {}),
      ...(network === 'none' ? { NetworkMode: 'none' } : {}),
      ...(typeof network === 'object' ? { NetworkMode: network.id } : {}),
    },
    ...(typeof network === 'object'
      ? { NetworkingConfig: { EndpointsConfig: { [network.id]: { Aliases: [network.alias] } } } }
      : {}),
  }
}

// The engine makes volumes that are not there yet, with these labels: one call less than making them first.
function runMount(unit: UnitPlan) {
  const options = { NoCopy: true, Labels: ownerLabels(unit.owner) }
  return { Type: 'volume', Source: unit.runVolume, Target: RUN_DIR, VolumeOptions: options }
}

function ownMount(volume: OwnVolume, owner: UnitPlan['owner']) {
  return {
    Type: 'volume',
    Source: volume.name,
    Target: volume.destination,
    ReadOnly: volume.readOnly,
    VolumeOptions: {
      // What the snapshot brings is all there is: copied image content would bring deleted files back.
      NoCopy: volume.part !== null,
      Labels: {
        ...ownerLabels(owner),
        [LABEL.volume]: volume.declared,
        [LABEL.destination]: volume.destination,
      },
    },
  }
}

function otherMount(mount: MountPlan) {
  return {
    Type: mount.type,
    ...(mount.type === 'tmpfs' ? {} : { Source: mount.source }),
    Target: mount.target,
    ReadOnly: mount.readOnly,
  }
}
