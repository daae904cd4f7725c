import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef } from '../backend.ts'
import type { MergedFiles } from '../merge-files.ts'
import type { UnitPlan } from './container-config.ts'
import { findUser } from './container-files.ts'
import { copyFolderIn, type HomeDelivery, planHome, writeHomeFiles } from './deliver-files.ts'
import { baseFacts, type DockerFacts } from './docker-facts.ts'
import { type Engine, SHORT_MS } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { ensureImage, ensureNamed } from './image-source.ts'
import { containerName, networkName, previousName } from './labels.ts'
import { mergeDockerFiles } from './merge-docker-files.ts'
import { fillVolume, partsDirOf, requireParts } from './own-volumes.ts'
import { checkPlan, NO_SHELL_NOTICE } from './preflight.ts'
import { removeTag } from './remove-objects.ts'
import { agentUnit } from './run-plan.ts'
import { createNetwork, startSidecars } from './sidecars.ts'
import { giveStartSize } from './terminal-size.ts'
import { createUndo, type Undo } from './undo.ts'
import { createUnit, fillRunVolume, type MadeUnit, startContainer } from './unit.ts'

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
  const homeDelivery = planHome(plan, unit, made.hasShell)
  const notices = await fillAgent(engine, home, plan, unit, made, homeDelivery, signal)
  faultPoint('start:after-fill')
  progress({ phase: 'starting', current: null, total: null })
  await startContainer(engine, made.id, unit.name, signal)
  if (unit.tty) await giveStartSize(engine, home, { ...plan, id: made.id }, signal)
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
    homeKey: homeDelivery.key,
    agentHome: plan.env.HOME ?? null,
    secretNames: Object.keys(plan.secrets),
    mayHoldSecrets: Object.keys(plan.secrets).length > 0,
    sidecars: Object.fromEntries(sidecars.map(({ id, delivery }) => [id, delivery])),
    built,
    composeProject: null,
    notices: [...agent.notices, ...notices, ...(made.hasShell ? [] : [NO_SHELL_NOTICE])],
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
    networks: network ? [networkName(plan.slug, plan.runId)] : [],
    sidecars: sidecars.map(({ id, unit: { name } }) => ({ id, name })),
    facts: { ...facts },
  }
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
  const path = `/containers/${encodeURIComponent(id)}/rename?name=${encodeURIComponent(name)}`
  await engine.send(`rename a container to ${name}`, { method: 'POST', path }, signal, SHORT_MS)
}

async function fillAgent(
  engine: Engine,
  home: string,
  plan: LaunchPlan,
  unit: UnitPlan,
  { id, hasShell }: MadeUnit,
  homeDelivery: HomeDelivery,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const recipe = homeDelivery.isByScript ? { ...unit.recipe, homeFiles: plan.homeFiles } : unit.recipe
  await fillRunVolume(engine, id, { recipe }, hasShell, signal)
  if (plan.image.kind === 'snapshot') {
    const dir = partsDirOf(home, plan.image.snapshot)
    for (const { part } of unit.ownVolumes) if (part) await fillVolume(engine, id, part, dir, signal)
  }
  if (plan.copyCwd) await copyFolderIn(engine, id, plan.copyCwd, unit, signal)
  if (!homeDelivery.isByScript) await writeHomeFiles(engine, id, plan, unit, signal)
  return plan.merged ? mergeIntoAgent(engine, id, plan.merged, plan, unit, signal) : []
}

async function mergeIntoAgent(
  engine: Engine,
  id: string,
  merged: MergedFiles,
  plan: LaunchPlan,
  unit: UnitPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const home = plan.env.HOME ?? unit.image.home
  const user = await findUser(engine, id, unit.user ?? unit.image.user, home, signal)
  const place = { home: user.home, workspace: unit.workdir ?? '/', user }
  return mergeDockerFiles(engine, id, place, merged, signal)
}
