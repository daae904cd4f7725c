import type { Backend } from '../backends/backend.ts'
import { readSettings } from '../state/settings.ts'
import { requireSpace } from '../system/disk-space.ts'
import type { BottleDeps } from './deps.ts'

/**
 * Refuses what would fill a disk, before anything is begun: where the state lies, and where the engine keeps its
 * images when that is on this machine. Costs two system calls.
 * @param what begins the sentence: `A freeze`
 * @throws BottleError `disk-full`
 */
export async function requireRoom(
  deps: Pick<BottleDeps, 'root'>,
  backend: Pick<Backend, 'dataRoot'>,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const [settings, engine] = await Promise.all([readSettings(deps.root), backend.dataRoot?.(signal) ?? null])
  const floor = Number(settings.minFreeMB) * 1_000_000
  if (floor === 0) return
  await requireSpace(deps.root.dir, what, 0, floor)
  if (engine !== null) await requireSpace(engine, what, 0, floor)
}
