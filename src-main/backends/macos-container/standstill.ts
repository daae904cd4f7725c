import { join } from 'node:path'
import { readJsonObject } from '../../state/durable-file.ts'

/**
 * True while a freeze of this run is under way. Releases that export stopped containers only have it stopped for a
 * moment then: whoever waits for the agent's end must not take that for it, but look again once this says false.
 */
export async function isBeingFrozen(stateDir: string, runId: string): Promise<boolean> {
  const read = await readJsonObject(join(stateDir, 'intent.json'))
  if (read.kind !== 'ok' || read.value.op !== 'freeze') return false
  return (read.value.runtime as { readonly runId?: unknown } | null | undefined)?.runId === runId
}
