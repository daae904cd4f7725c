import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerInspectInfo } from 'dockerode'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ExitFact, LaunchPlan, RuntimeRef, StopOptions } from '../backend.ts'
import { type RunRecipe, wipedFiles } from '../guest/run-files.ts'
import { packEntries } from '../guest/tar-pack.ts'
import { createPlaces } from './access-place.ts'
import { putFiles } from './container-files.ts'
import { type DeliveryFacts, readFacts } from './docker-facts.ts'
import { type Engine, SHORT_MS } from './engine.ts'
import { isMissing, statusOf } from './engine-errors.ts'
import { imageFacts, inspectImage } from './image-source.ts'
import { RUN_DIR } from './labels.ts'
import { mergeDockerFiles } from './merge-docker-files.ts'
import { inspectContainer } from './remove-objects.ts'
import { commandOf, sidecarRecipe } from './run-plan.ts'
import { giveStartSize } from './terminal-size.ts'
import { fillRunVolume, startContainer, wasStarted } from './unit.ts'

const DAY_MS = 24 * 3_600_000
const SIDECAR_GRACE_S = 5

/** Waits for the agent's end, over restarts of the daemon too; null when the container is gone. @throws BottleError */
export async function waitForExit(
  engine: Engine,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ExitFact | null> {
  for (let pause = 100; ; pause = Math.min(pause * 2, 3000)) {
    try {
      const path = `/containers/${encodeURIComponent(ref.id)}/wait`
      await engine.send(`wait for ${ref.name}`, { method: 'POST', path }, signal, DAY_MS)
      const found = await inspectContainer(engine, ref.id, signal)
      if (!found) return null
      // After a daemon's restart the container may run again, or still.
      if (!found.State.Running) return exitFact(found)
    } catch (thrown) {
      if (isMissing(thrown)) return null
      const isPassing =
        isBottleError(thrown) && ['engine-down', 'engine-missing', 'timeout'].includes(thrown.code)
      if (!isPassing && statusOf(thrown) !== 500) throw thrown
    }
    await sleep(pause, undefined, { signal }).catch(() => {
      throw bottleError('cancelled')
    })
  }
}

function exitFact(found: ContainerInspectInfo): ExitFact {
  if (!wasStarted(found.State.StartedAt)) return { exitCode: null, endedAt: new Date().toISOString() }
  return { exitCode: found.State.ExitCode, endedAt: new Date(found.State.FinishedAt).toISOString() }
}

/** Stops agent, then sidecars: politely, then hard. Missing and stopped ones are done. @throws BottleError */
export async function stopRun(
  engine: Engine,
  ref: RuntimeRef,
  options: StopOptions,
  signal: AbortSignal,
): Promise<void> {
  await stopOne(engine, ref.id, ref.name, options.graceSeconds, signal)
  await stopSidecars(engine, ref, signal)
}

export async function stopSidecars(engine: Engine, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  await Promise.all(ref.sidecars.map(({ id, name }) => stopOne(engine, id, name, SIDECAR_GRACE_S, signal)))
}

async function stopOne(
  engine: Engine,
  id: string,
  name: string,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const stop = () =>
    engine.call(
      `stop ${name}`,
      signal,
      (docker, abortSignal) =>
        docker.getContainer(id).stop({ t: Math.max(0, Math.round(graceSeconds)), abortSignal }),
      graceSeconds * 1000 + 60_000,
    )
  try {
    const found = await inspectContainer(engine, id, signal)
    if (!found) return
    // A frozen process can't act on a signal.
    if (found.State.Paused) await unpauseContainer(engine, id, signal)
    await stop()
  } catch (thrown) {
    if (statusOf(thrown) !== 304 && !isMissing(thrown)) throw thrown
  }
}

/** Lets a paused container run on; one that is not paused, or gone, is done. @throws BottleError */
export async function unpauseContainer(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  try {
    const path = `/containers/${encodeURIComponent(id)}/unpause`
    await engine.send('unpause the container', { method: 'POST', path }, signal, SHORT_MS)
  } catch (thrown) {
    if (isMissing(thrown)) return
    const found = await inspectContainer(engine, id, signal)
    if (found?.State.Paused) throw thrown
  }
}

/** Starts a stopped run again: same containers, same files, its command and secrets delivered anew. @throws BottleError */
export async function restartRun(
  engine: Engine,
  home: string,
  ref: RuntimeRef,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  const facts = readFacts(ref)
  const sidecars = { ...facts.sidecars }
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found) throw bottleError('not-found', `The container ${ref.name} is gone.`, { slug: ref.slug })
  if (found.State.Running) throw bottleError('busy', `${ref.name} is running already.`, { slug: ref.slug })
  for (const { id, name } of ref.sidecars) {
    const sidecar = plan.sidecars.find((one) => name.endsWith(`.${one.name}`))
    const delivery = facts.sidecars[id]
    if (sidecar && delivery?.runVolume) {
      const image = await factsOfImage(engine, sidecar.image, signal)
      const recipe = sidecarRecipe(plan, sidecar, image)
      await refill(engine, id, delivery, recipe, signal)
      sidecars[id] = delivered(delivery, recipe)
    }
    await startContainer(engine, id, name, signal)
  }
  if (facts.runVolume) {
    const image = await factsOfImage(engine, found.Image, signal)
    const recipe = { argv: commandOf(plan.argv, image), env: plan.env, secrets: plan.secrets }
    await refill(engine, ref.id, facts, recipe, signal)
  }
  const { merged } = plan
  const place = merged ? await createPlaces(engine)(ref, signal) : null
  const notices = merged && place ? await mergeDockerFiles(engine, ref.id, place, merged, signal) : []
  await startContainer(engine, ref.id, ref.name, signal)
  if (found.Config.Tty) await giveStartSize(engine, home, ref, signal)
  const { secretNames, mayHoldSecrets } = delivered(facts, plan)
  return { ...ref, facts: { ...ref.facts, secretNames, mayHoldSecrets, sidecars, notices } }
}

/** What a run holds after a further delivery; what an earlier one left there may not have been wiped. */
function delivered(before: DeliveryFacts, { secrets }: Pick<RunRecipe, 'secrets'>): DeliveryFacts {
  const names = Object.keys(secrets)
  return { ...before, secretNames: names, mayHoldSecrets: before.mayHoldSecrets || names.length > 0 }
}

async function factsOfImage(engine: Engine, reference: string, signal: AbortSignal) {
  const found = await inspectImage(engine, reference, signal)
  if (!found) throw bottleError('image-missing', `The image ${reference} is not in Docker any more.`)
  return imageFacts(reference, found)
}

async function refill(
  engine: Engine,
  id: string,
  delivery: DeliveryFacts,
  recipe: RunRecipe,
  signal: AbortSignal,
) {
  await fillRunVolume(engine, id, { recipe }, delivery.hasShell, signal)
}

/**
 * Stops the sidecars and empties what was delivered to the run, if secrets were. Gone or running containers are left.
 * @throws BottleError
 */
export async function endRun(engine: Engine, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  const facts = readFacts(ref)
  const agent = await inspectContainer(engine, ref.id, signal)
  // Started again since: its files are in use.
  if (agent?.State.Running) return
  await stopSidecars(engine, ref, signal)
  const all: [string, DeliveryFacts][] = [...Object.entries(facts.sidecars)]
  if (agent) all.push([ref.id, facts])
  await Promise.all(all.map(([id, delivery]) => wipe(engine, id, delivery, signal)))
}

async function wipe(engine: Engine, id: string, delivery: DeliveryFacts, signal: AbortSignal): Promise<void> {
  if (!delivery.runVolume || !delivery.mayHoldSecrets) return
  const files = wipedFiles(delivery.hasShell, delivery.secretNames)
  if (files.length === 0) return
  try {
    await putFiles(engine, id, RUN_DIR, await packEntries(files), signal)
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
  }
}
