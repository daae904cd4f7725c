import { rm } from 'node:fs/promises'
import type { RemoveResult, RuntimeRef } from '../backend.ts'
import type { SmolContext } from './context.ts'
import { isOf } from './find.ts'
import { endRunner } from './launch.ts'
import { deleteMachine, findMachine } from './machines.ts'
import { readOwner, removeOwner } from './owners.ts'
import { hasRunFolder, runPaths } from './run-paths.ts'

/** Removes a run: its machine, its runner, its folder. Missing things are done. @throws BottleError */
export async function removeRun(
  context: SmolContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<RemoveResult> {
  const found = await findMachine(context, ref.name, signal)
  if (found?.owner && found.owner.root !== context.rootId) {
    return { removed: [], left: [`${ref.name} (belongs to another state root)`] }
  }
  // A machine of the name that is another run's is not what was asked for.
  const isOurs = found !== null && isOf(context.rootId, found, ref)
  if (isOurs && !(await deleteMachine(context, ref.name, signal))) return { removed: [], left: [ref.name] }
  if (hasRunFolder(ref)) {
    // The machine first: what its runner still writes belongs to a run that is over.
    const left = await endRunner(context, ref)
    if (left.length > 0) return { removed: [], left: left.map((pid) => `process ${pid} of ${ref.name}`) }
    await rm(runPaths(context.home, ref).dir, { recursive: true, force: true })
  }
  const record = await readOwner(context.home, ref.name)
  if (record && record.runId === ref.runId) await removeOwner(context.home, ref.name)
  return { removed: isOurs ? [ref.name] : [], left: [] }
}
