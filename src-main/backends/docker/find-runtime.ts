import type { ContainerInspectInfo } from 'dockerode'
import type { RuntimeRef } from '../backend.ts'
import { baseFacts, type DeliveryFacts, type DockerFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { imageFacts, inspectImage } from './image-source.ts'
import { isContainerName, LABEL, labelOf, RUN_DIR, slugFromName } from './labels.ts'
import { inspectContainer } from './remove-objects.ts'

/** Label that compose puts on what it makes. */
export const COMPOSE_PROJECT = 'com.docker.compose.project'

/** A bottle's runtime by name or id; null when there is none or it belongs to another root. @throws BottleError */
export async function findRuntime(
  engine: Engine,
  rootId: string,
  nameOrId: string,
  signal: AbortSignal,
): Promise<RuntimeRef | null> {
  if (!isContainerName(nameOrId)) return null
  const found = await inspectContainer(engine, nameOrId, signal)
  if (!found) return null
  const root = labelOf(found.Config.Labels, LABEL.root)
  if (root !== null && root !== rootId) return null
  return rebuildRef(engine, found, signal)
}

/** True while the recorded container exists and is still that run's. @throws BottleError */
export async function isRuntimeThere(
  engine: Engine,
  rootId: string,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found) return false
  const root = labelOf(found.Config.Labels, LABEL.root)
  // Without an owner it is an adopted or a legacy one, which is known by its id alone.
  return root === null || (root === rootId && labelOf(found.Config.Labels, LABEL.run) === ref.runId)
}

/** True when any container has the name, another root's included. @throws BottleError */
export async function isNameTaken(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  return isContainerName(name) && (await inspectContainer(engine, name, signal)) !== null
}

/** Everything that a record must name, read back from the engine. */
export async function rebuildRef(
  engine: Engine,
  found: ContainerInspectInfo,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  const labels = found.Config.Labels
  const name = found.Name.replace(/^\//, '')
  const root = labelOf(labels, LABEL.root)
  const runId = labelOf(labels, LABEL.run) ?? ''
  const slug = labelOf(labels, LABEL.slug) ?? slugFromName(name) ?? ''
  const image = await inspectImage(engine, found.Image, signal)
  const family = root && runId ? await familyOf(engine, root, runId, signal) : null
  const facts: DockerFacts = {
    root: root ?? '',
    tty: found.Config.Tty,
    imageId: found.Image,
    imageReference: found.Config.Image,
    base: root && image ? baseFacts(imageFacts(found.Config.Image, image)) : null,
    userOverridden: root !== null && image !== null && found.Config.User !== (image.Config?.User ?? ''),
    runVolume: runVolumeOf(found),
    hasShell: startsByWrapper(found),
    secretNames: [],
    mayHoldSecrets: true,
    sidecars: Object.fromEntries((family?.sidecars ?? []).map(({ id, delivery }) => [id, delivery])),
    built: image?.RepoTags?.find((tag) => tag.endsWith(`-build:${runId}`)) ?? null,
    homeKey: null,
    agentHome: null,
    composeProject: labelOf(labels, COMPOSE_PROJECT),
    notices: [],
  }
  return {
    backend: 'docker',
    id: found.Id,
    name,
    slug,
    runId,
    volumes: family?.volumes ?? [],
    networks: family?.networks ?? [],
    sidecars: (family?.sidecars ?? []).map(({ id, name: own }) => ({ id, name: own })),
    facts: { ...facts },
  }
}

function runVolumeOf(found: ContainerInspectInfo): string {
  return found.Mounts.find((mount) => mount.Destination === RUN_DIR)?.Name ?? ''
}

function startsByWrapper(found: ContainerInspectInfo): boolean {
  const entrypoint = found.Config.Entrypoint
  return (Array.isArray(entrypoint) ? entrypoint[0] : entrypoint) === `${RUN_DIR}/start`
}

interface Family {
  readonly sidecars: readonly {
    readonly id: string
    readonly name: string
    readonly delivery: DeliveryFacts
  }[]
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
}

/** Everything else that carries the labels of one run. */
export async function familyOf(
  engine: Engine,
  rootId: string,
  runId: string,
  signal: AbortSignal,
): Promise<Family> {
  const filters = { label: [`${LABEL.root}=${rootId}`, `${LABEL.run}=${runId}`] }
  const [containers, { Volumes: volumes }, networks] = await engine.call(
    `look for what belongs to run ${runId}`,
    signal,
    (docker, abortSignal) =>
      Promise.all([
        docker.listContainers({ all: true, filters, abortSignal }),
        docker.listVolumes({ filters, abortSignal }),
        docker.listNetworks({ filters, abortSignal }),
      ]),
  )
  const sidecars = containers.filter((row) => labelOf(row.Labels, LABEL.role) === 'sidecar')
  return {
    sidecars: sidecars.map((row) => {
      const runVolume = row.Mounts.find((mount) => mount.Destination === RUN_DIR)?.Name ?? ''
      const hasShell = row.Command.startsWith(RUN_DIR)
      return {
        id: row.Id,
        name: (row.Names[0] ?? '').replace(/^\//, ''),
        delivery: { runVolume, hasShell, secretNames: [], mayHoldSecrets: true },
      }
    }),
    volumes: (volumes ?? []).map((volume) => volume.Name),
    networks: networks.map((network) => network.Name),
  }
}
