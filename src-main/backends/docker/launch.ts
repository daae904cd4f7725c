import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef, SidecarPlan } from '../backend.ts'
import type { UnitPlan } from './container-config.ts'
import { copyFolderIn, writeHomeFiles } from './deliver-files.ts'
import { baseFacts, type DeliveryFacts, type DockerFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { ensureImage, ensureNamed, type ImageFacts } from './image-source.ts'
import {
  containerName,
  networkName,
  ownerLabels,
  previousName,
  runVolumeName,
  sidecarName,
} from './labels.ts'
import { fillVolume, partsDirOf, planVolumes, requireParts } from './own-volumes.ts'
import { checkPlan, NO_SHELL_NOTICE } from './preflight.ts'
import { removeNetwork, removeTag } from './remove-objects.ts'
import type { RunRecipe } from './run-files.ts'
import { createUndo, type Undo } from './undo.ts'
import { createUnit, fillRunVolume, startContainer } from './unit.ts'

const WORKSPACE = '/workspace'

/**
 * Creates, fills and starts a run. Order: image, name, network, sidecars, agent; the agent is started last.
 * On failure everything made is removed and the previous runtime has its name back. @throws BottleError
 */
export async function launchRun(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  const undo = createUndo()
  checkPlan(plan)
  if (plan.image.kind === 'snapshot') await requireParts(home, plan.image.snapshot)
  try {
    return await makeRun(engine, home, plan, progress, undo, signal)
  } catch (thrown) {
    const left = await undo.run()
    const failed = toBottleError(thrown, plan.slug)
    if (left.length === 0) throw failed
    throw bottleError(failed.code, `${failed.message} Could not take back: ${left.join(', ')}.`, {
      slug: plan.slug,
      detail: failed.detail,
      cause: failed,
    })
  }
}

async function makeRun(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  progress: ReportProgress,
  undo: Undo,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  progress({ phase: 'preparing image', current: null, total: null })
  const image = await ensureImage(engine, plan, progress, signal)
  const { built } = image
  if (built) undo.add(`image ${built}`, (late) => removeTag(engine, built, late))
  const agent = agentUnit(plan, image)
  const sidecarImages = await Promise.all(
    plan.sidecars.map((sidecar) => ensureNamed(engine, sidecar.image, progress, signal)),
  )
  await movePrevious(engine, plan, undo, signal)
  progress({ phase: 'creating', current: null, total: null })
  const network = plan.sidecars.length > 0 ? await createNetwork(engine, plan, undo, signal) : null
  const sidecars = await startSidecars(
    engine,
    plan,
    sidecarImages,
    agent.ownVolumes.length,
    network,
    undo,
    signal,
  )
  const unit: UnitPlan = {
    ...agent,
    network: network ? { id: network, alias: 'agent' } : plan.network === 'none' ? 'none' : 'default',
  }
  const made = await createUnit(engine, unit, undo, signal)
  faultPoint('start:after-create')
  await fillAgent(engine, home, plan, unit, made.id, made.hasShell, signal)
  faultPoint('start:after-fill')
  progress({ phase: 'starting', current: null, total: null })
  await startContainer(engine, made.id, unit.name, signal)
  faultPoint('start:after-start')
  const facts: DockerFacts = {
    root: plan.rootId,
    tty: plan.tty,
    imageId: image.id,
    imageReference: image.reference,
    base: baseFacts(image),
    userOverridden: plan.user !== null,
    runVolume: unit.runVolume,
    hasShell: made.hasShell,
    secretNames: Object.keys(plan.secrets),
    sidecars: Object.fromEntries(sidecars.map(({ id, delivery }) => [id, delivery])),
    built,
    composeProject: null,
    notices: [...agent.notices, ...(made.hasShell ? [] : [NO_SHELL_NOTICE])],
  }
  return {
    backend: 'docker',
    id: made.id,
    name: unit.name,
    slug: plan.slug,
    runId: plan.runId,
    volumes: [unit, ...sidecars.map((one) => one.unit)].flatMap((one) => [
      one.runVolume,
      ...one.ownVolumes.map((volume) => volume.name),
    ]),
    networks: network ? [network] : [],
    sidecars: sidecars.map(({ id, unit: { name } }) => ({ id, name })),
    facts: { ...facts },
  }
}

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

async function movePrevious(
  engine: Engine,
  plan: LaunchPlan,
  undo: Undo,
  signal: AbortSignal,
): Promise<void> {
  const { previous } = plan
  const name = containerName(plan.slug)
  // Adopted containers keep their names; they are in nobody's way.
  if (!previous || previous.name !== name) return
  const aside = previousName(plan.slug, previous.runId)
  try {
    await renameContainer(engine, previous.id, aside, signal)
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
    return
  }
  undo.add(`the name of ${name}`, (late) => renameContainer(engine, previous.id, name, late))
  faultPoint('resume:after-rename')
}

/** Gives a container another name. */
export async function renameContainer(
  engine: Engine,
  id: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await engine.call(`rename a container to ${name}`, signal, (docker, abortSignal) =>
    docker.getContainer(id).rename({ name, abortSignal }),
  )
}

async function createNetwork(
  engine: Engine,
  plan: LaunchPlan,
  undo: Undo,
  signal: AbortSignal,
): Promise<string> {
  const name = networkName(plan.slug, plan.runId)
  undo.add(`network ${name}`, (late) => removeNetwork(engine, name, late))
  const body = { Name: name, Driver: 'bridge', Internal: plan.network === 'none', Labels: ownerLabels(plan) }
  const made = await engine.call(`create network ${name}`, signal, (docker, abortSignal) =>
    docker.createNetwork({ _query: {}, _body: body, abortSignal } as object as { Name: string }),
  )
  return made.id
}

interface StartedSidecar {
  readonly id: string
  readonly unit: UnitPlan
  readonly delivery: DeliveryFacts
}

async function startSidecars(
  engine: Engine,
  plan: LaunchPlan,
  images: readonly ImageFacts[],
  firstVolume: number,
  network: string | null,
  undo: Undo,
  signal: AbortSignal,
): Promise<StartedSidecar[]> {
  const started: StartedSidecar[] = []
  let nextVolume = firstVolume
  for (const [at, sidecar] of plan.sidecars.entries()) {
    const image = images[at]
    if (!image || !network) continue
    const { own } = planVolumes(plan.runId, image.volumes, [], [], nextVolume)
    nextVolume += own.length
    const unit: UnitPlan = {
      name: sidecarName(plan.slug, plan.runId, sidecar.name),
      role: 'sidecar',
      owner: plan,
      image,
      recipe: sidecarRecipe(plan, sidecar, image),
      user: null,
      workdir: null,
      tty: false,
      ownVolumes: own,
      others: [],
      runVolume: runVolumeName(plan.runId, sidecar.name),
      resources: { cpus: null, memoryBytes: null },
      network: { id: network, alias: sidecar.name },
    }
    const { id, hasShell } = await createUnit(engine, unit, undo, signal)
    await fillRunVolume(engine, id, unit, hasShell, signal)
    await startContainer(engine, id, unit.name, signal)
    const secretNames = Object.keys(unit.recipe.secrets)
    started.push({ id, unit, delivery: { runVolume: unit.runVolume, hasShell, secretNames } })
  }
  return started
}

async function fillAgent(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  unit: UnitPlan,
  id: string,
  hasShell: boolean,
  signal: AbortSignal,
): Promise<void> {
  await fillRunVolume(engine, id, unit, hasShell, signal)
  if (plan.image.kind === 'snapshot') {
    const dir = partsDirOf(home, plan.image.snapshot)
    for (const { part } of unit.ownVolumes) if (part) await fillVolume(engine, id, part, dir, signal)
  }
  if (plan.copyCwd) await copyFolderIn(engine, id, plan.copyCwd, unit, signal)
  await writeHomeFiles(engine, id, plan, unit, signal)
}
