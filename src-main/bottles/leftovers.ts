import type { Backend } from '../backends/backend.ts'
import type { BottleDeps } from './deps.ts'

/** True when something of a run is still on the engine, or when the engine can't tell. */
export async function isRunLeft(deps: BottleDeps, backend: Backend, runId: string): Promise<boolean> {
  try {
    const found = await backend.inventory(deps.root.id, AbortSignal.timeout(10_000))
    return [...found.containers, ...found.volumes, ...found.networks].some((item) => item.runId === runId)
  } catch {
    // Not knowing counts as left: the intent then stays, and recovery comes back to it.
    return true
  }
}
