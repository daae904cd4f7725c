import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { toFailure } from '../../system/bottle-error.ts'
import { runCommand } from '../../system/run-command.ts'
import type { RemoveResult, RuntimeRef } from '../backend.ts'
import { readFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { COMPOSE_PROJECT, familyOf } from './find-runtime.ts'
import { LABEL, labelOf } from './labels.ts'
import {
  inspectContainer,
  removeContainer,
  removeNetwork,
  removeTag,
  removeVolume,
} from './remove-objects.ts'

/** Collects what went and what stayed, so that one failure does not hide the rest. */
interface Tally {
  readonly removed: string[]
  readonly left: string[]
}

/**
 * Removes a run: agent, sidecars, networks, run volumes, the image it built for itself. Other volumes stay.
 * Missing things are done; what could not be removed is named. @throws BottleError when the engine is away
 */
export async function removeRun(
  engine: Engine,
  rootId: string,
  home: string,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const tally: Tally = { removed: [], left: [] }
  const facts = readFacts(ref)
  const agent = await inspectContainer(engine, ref.id, signal)
  const owner = labelOf(agent?.Config.Labels, LABEL.root)
  if (owner !== null && owner !== rootId)
    return { removed: [], left: [`${ref.name} (belongs to another state root)`] }
  const project = facts.composeProject ?? labelOf(agent?.Config.Labels, COMPOSE_PROJECT)
  if (project && !ref.runId) {
    await removeProject(engine, home, ref.slug, project, tally, signal)
    // Compose may not know a container that was renamed or made by hand.
    await attempt(tally, ref.name, () => removeContainer(engine, ref.id, signal))
    return tally
  }
  const family = ref.runId && !isAlone(ref) ? await familyOf(engine, rootId, ref.runId, signal) : null
  const sidecars = new Map([...ref.sidecars, ...(family?.sidecars ?? [])].map(({ id, name }) => [id, name]))
  await attempt(tally, ref.name, () => removeContainer(engine, ref.id, signal))
  await Promise.all(
    [...sidecars].map(([id, name]) => attempt(tally, name, () => removeContainer(engine, id, signal))),
  )
  const networks = new Set([...ref.networks, ...(family?.networks ?? [])])
  for (const name of networks)
    await attempt(tally, `network ${name}`, () => removeNetwork(engine, name, signal))
  const volumes = new Set([facts.runVolume, ...Object.values(facts.sidecars).map((one) => one.runVolume)])
  for (const name of [...ref.volumes, ...(family?.volumes ?? [])])
    if (isRunVolume(name, ref.runId)) volumes.add(name)
  for (const name of volumes)
    if (name) await attempt(tally, `volume ${name}`, () => removeVolume(engine, name, signal))
  const { built } = facts
  if (built) await attempt(tally, `image ${built}`, () => removeTag(engine, built, signal))
  return tally
}

/** True when the launch's own record says that nothing but a container and its volumes was made. */
function isAlone(ref: RuntimeRef): boolean {
  const { runVolume } = readFacts(ref)
  const isRecorded = runVolume !== '' && ref.volumes.includes(runVolume)
  return isRecorded && ref.sidecars.length === 0 && ref.networks.length === 0
}

const isRunVolume = (name: string, runId: string) => runId !== '' && name.startsWith(`icebox-run-${runId}`)

async function attempt(tally: Tally, name: string, step: () => Promise<boolean>): Promise<void> {
  try {
    if (await step()) tally.removed.push(name)
  } catch (thrown) {
    const failed = toFailure(thrown)
    if (failed.code === 'cancelled' || failed.code === 'engine-down' || failed.code === 'engine-missing')
      throw thrown
    tally.left.push(`${name} (${failed.detail ?? failed.message})`)
  }
}

/** Through compose when its file and the plugin are there, and by label for whatever is left then. */
async function removeProject(
  engine: Engine,
  home: string,
  slug: string,
  project: string,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const file = join(home, 'state', slug, 'docker-compose.yml')
  const hasFile = await access(file).then(
    () => true,
    () => false,
  )
  if (slug && hasFile) await composeDown(engine, file, project, signal)
  const filters = { label: [`${COMPOSE_PROJECT}=${project}`] }
  const [containers, networks] = await engine.call(
    `look for project ${project}`,
    signal,
    (docker, abortSignal) =>
      Promise.all([
        docker.listContainers({ all: true, filters, abortSignal }),
        docker.listNetworks({ filters, abortSignal }),
      ]),
  )
  for (const { Id, Names } of containers) {
    await attempt(tally, (Names[0] ?? Id).replace(/^\//, ''), () => removeContainer(engine, Id, signal))
  }
  for (const { Id, Name } of networks)
    await attempt(tally, `network ${Name}`, () => removeNetwork(engine, Id, signal))
}

async function composeDown(
  engine: Engine,
  file: string,
  project: string,
  signal: AbortSignal,
): Promise<void> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(engine.env)) if (value !== undefined) env[name] = value
  // A failure is not the end: what compose leaves, the labels still find.
  await runCommand('docker', ['compose', '-f', file, '-p', project, 'down'], {
    env,
    timeout: 120_000,
    signal,
  }).catch((thrown: unknown) => {
    if (toFailure(thrown).code === 'cancelled') throw thrown
  })
}
