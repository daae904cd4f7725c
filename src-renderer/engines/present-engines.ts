import type { Bottle, EngineReport } from '../../src-preload/contract/entities.ts'

/**
 * The engines worth a place where room is short: those that are here, and those that bottles need. Docker stands for
 * all of them where no container engine is here at all. Pure.
 */
export function presentEngines(
  engines: readonly EngineReport[],
  bottles: readonly Pick<Bottle, 'backend'>[],
): readonly EngineReport[] {
  const isHere = (engine: EngineReport) => engine.state !== 'missing'
  const hasContainers = engines.some((engine) => engine.name !== 'host' && isHere(engine))
  return engines.filter(
    (engine) =>
      isHere(engine) ||
      (engine.name === 'docker' && !hasContainers) ||
      bottles.some(({ backend }) => backend === engine.name),
  )
}
