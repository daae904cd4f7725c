import type { RuntimeRef } from '../backend.ts'
import { slugFromName } from '../labels.ts'
import type { SmolContext } from './context.ts'
import { findMachine, listMachines, type OwnedMachine } from './machines.ts'
import { hasRunFolder, runPaths } from './run-paths.ts'
import { readRunRef } from './run-state.ts'

/** A bottle's machine by name; null when there is none or it belongs to another root. @throws BottleError */
export async function findRuntime(
  context: SmolContext,
  nameOrId: string,
  signal: AbortSignal,
): Promise<RuntimeRef | null> {
  const machines = await listMachines(context, signal)
  const found = pickMachine(context.rootId, nameOrId, machines)
  return found ? refOf(context, found) : null
}

/** Pure: the machine of exactly that name, else the newest of this root whose bottle has it. */
export function pickMachine(
  rootId: string,
  name: string,
  machines: readonly OwnedMachine[],
): OwnedMachine | null {
  const slug = slugFromName(name)
  const own = machines
    .filter(({ owner }) => owner?.root === rootId && owner.role === 'agent' && owner.slug === slug)
    .sort((a, b) => ((a.machine.createdAt ?? '') < (b.machine.createdAt ?? '') ? 1 : -1))
  const exact = machines.find(({ machine }) => machine.name === name)
  if (exact?.owner && exact.owner.root !== rootId) return own[0] ?? null
  // After a resume the plain name may still be the former run's, or nobody's.
  return exact && !exact.owner ? exact : (own[0] ?? exact ?? null)
}

/** Everything that a record must name: as it was launched, or as far as the engine tells. */
export async function refOf(context: SmolContext, { machine, owner }: OwnedMachine): Promise<RuntimeRef> {
  const recorded = owner && hasRunFolder(owner) ? await readRunRef(runPaths(context.home, owner)) : null
  if (recorded && recorded.name === machine.name) return recorded
  return {
    backend: 'smolmachines',
    id: machine.name,
    name: machine.name,
    slug: owner?.slug ?? slugFromName(machine.name) ?? '',
    runId: owner?.runId ?? '',
    volumes: [],
    networks: [],
    sidecars: [],
    facts: { root: owner?.root ?? '' },
  }
}

/** True while the recorded machine exists and is still that run's. @throws BottleError */
export async function isRuntimeThere(
  context: SmolContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await findMachine(context, ref.name, signal)
  return found !== null && isOf(context.rootId, found, ref)
}

/** Pure: without an owner it is an adopted or a legacy machine, which is known by its name alone. */
export function isOf(rootId: string, { owner }: OwnedMachine, ref: RuntimeRef): boolean {
  if (!owner) return ref.facts.root === '' || ref.facts.root === undefined || ref.runId === ''
  return owner.root === rootId && owner.runId === ref.runId
}
