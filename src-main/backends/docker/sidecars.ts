import type { LaunchPlan } from '../backend.ts'
import type { UnitPlan } from './container-config.ts'
import type { DeliveryFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import type { ImageFacts } from './image-source.ts'
import { networkName, ownerLabels } from './labels.ts'
import { removeNetwork } from './remove-objects.ts'
import { sidecarUnit } from './run-plan.ts'
import type { Undo } from './undo.ts'
import { createUnit, fillRunVolume, startContainer } from './unit.ts'

/** Makes the run's own network: nothing else is in it, and nothing leads out of it without a policy. @throws BottleError */
export async function createNetwork(
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

/** A sidecar that runs. */
export interface StartedSidecar {
  readonly id: string
  readonly unit: UnitPlan
  readonly delivery: DeliveryFacts
}

/** Makes, fills and starts the sidecars one after the other, in the plan's order. @throws BottleError */
export async function startSidecars(
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
    const unit = sidecarUnit(plan, sidecar, image, nextVolume, network)
    nextVolume += unit.ownVolumes.length
    const { id, hasShell } = await createUnit(engine, unit, undo, signal)
    await fillRunVolume(engine, id, unit, hasShell, signal)
    await startContainer(engine, id, unit.name, signal)
    const secretNames = Object.keys(unit.recipe.secrets)
    const mayHoldSecrets = secretNames.length > 0
    const delivery = { runVolume: unit.runVolume, hasShell, secretNames, mayHoldSecrets }
    started.push({ id, unit, delivery })
  }
  return started
}
