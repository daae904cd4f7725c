import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { runFiles, secretFiles } from '../guest/run-files.ts'
import { packEntries } from '../guest/tar-pack.ts'
import { containerBody, type UnitPlan } from './container-config.ts'
import { putFiles, statInContainer } from './container-files.ts'
import { type Engine, SHORT_MS } from './engine.ts'
import { isUnanswered, statusOf } from './engine-errors.ts'
import { jsonBody } from './engine-http.ts'
import { LABEL, labelOf, RUN_DIR } from './labels.ts'
import { inspectContainer, removeContainer, removeVolume } from './remove-objects.ts'
import type { Undo } from './undo.ts'

const LATE_CREATE_MS = 2000

/** A container that exists and has not been started. */
export interface MadeUnit {
  readonly id: string
  readonly hasShell: boolean
}

/** Makes a container with its volumes, unstarted and unfilled. Everything made is named to `undo`. @throws BottleError */
export async function createUnit(
  engine: Engine,
  unit: UnitPlan,
  undo: Undo,
  signal: AbortSignal,
): Promise<MadeUnit> {
  for (const name of [unit.runVolume, ...unit.ownVolumes.map((volume) => volume.name)]) {
    undo.add(`volume ${name}`, (late) => removeVolume(engine, name, late))
  }
  // By name and run: an answer that got lost must not leave a container behind.
  let isAnswered = false
  undo.add(`container ${unit.name}`, async (late) => {
    const until = isAnswered ? 0 : Date.now() + LATE_CREATE_MS
    let found = await inspectContainer(engine, unit.name, late)
    while (!found && Date.now() < until) {
      await sleep(100, undefined, { signal: late })
      found = await inspectContainer(engine, unit.name, late)
    }
    if (found && labelOf(found.Config.Labels, LABEL.run) === unit.owner.runId)
      await removeContainer(engine, found.Id, late)
  })
  const id = await createContainer(engine, unit, unit.image.hasShell ?? true, signal).catch((thrown) => {
    isAnswered = !isUnanswered(thrown)
    throw thrown
  })
  isAnswered = true
  if (unit.image.hasShell !== null) return { id, hasShell: unit.image.hasShell }
  if (await statInContainer(engine, id, '/bin/sh', signal)) return { id, hasShell: true }
  await removeContainer(engine, id, signal)
  return { id: await createContainer(engine, unit, false, signal), hasShell: false }
}

async function createContainer(
  engine: Engine,
  unit: UnitPlan,
  hasShell: boolean,
  signal: AbortSignal,
): Promise<string> {
  const body = containerBody(unit, hasShell)
  const create = async () => {
    const path = `/containers/create?name=${encodeURIComponent(unit.name)}`
    const request = { method: 'POST', path, body: jsonBody(body) } as const
    const made = await engine.send<{ Id: string }>(`create ${unit.name}`, request, signal, SHORT_MS)
    if (!made) throw bottleError('engine-failed', `Docker did not say which container ${unit.name} is.`)
    return made.Id
  }
  try {
    return await create()
  } catch (thrown) {
    if (statusOf(thrown) === 404 && isBottleError(thrown)) {
      throw bottleError('image-missing', `The image "${unit.image.reference}" is not in Docker.`, {
        cause: thrown,
        detail: thrown.detail,
      })
    }
    if (statusOf(thrown) !== 409) throw thrown
    if (!(await clearLeftover(engine, unit, signal))) {
      throw bottleError('exists', `A container named ${unit.name} exists already. It was left as it is.`, {
        slug: unit.owner.slug,
        cause: thrown,
      })
    }
    return await create()
  }
}

/** Only a container of this very bottle that never ran may be in the way: it holds no work. */
async function clearLeftover(engine: Engine, unit: UnitPlan, signal: AbortSignal): Promise<boolean> {
  const found = await inspectContainer(engine, unit.name, signal)
  if (!found) return true
  const labels = found.Config.Labels
  const isOurs =
    labelOf(labels, LABEL.root) === unit.owner.rootId && labelOf(labels, LABEL.slug) === unit.owner.slug
  if (!isOurs || wasStarted(found.State.StartedAt)) return false
  await removeContainer(engine, found.Id, signal)
  return true
}

/** The engine writes the year 1 for "never". */
export const wasStarted = (startedAt: string | undefined) =>
  startedAt !== undefined && !startedAt.startsWith('0001-')

/** Writes what the container is to run into its run volume. */
export async function fillRunVolume(
  engine: Engine,
  id: string,
  unit: Pick<UnitPlan, 'recipe'>,
  hasShell: boolean,
  signal: AbortSignal,
): Promise<void> {
  const files = hasShell ? runFiles(unit.recipe) : secretFiles(unit.recipe)
  await putFiles(engine, id, RUN_DIR, await packEntries(files), signal)
}

/** Starts a made container. @throws BottleError */
export async function startContainer(
  engine: Engine,
  id: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const path = `/containers/${encodeURIComponent(id)}/start`
    await engine.send(`start ${name}`, { method: 'POST', path }, signal, SHORT_MS)
  } catch (thrown) {
    // 304: it runs already, as after an answer that got lost.
    if (statusOf(thrown) !== 304) throw thrown
  }
}
