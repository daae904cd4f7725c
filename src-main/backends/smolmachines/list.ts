import type { ListScope, RuntimeFact } from '../backend.ts'
import { containerName, hasBottleName } from '../labels.ts'
import { inBatches } from '../local/in-batches.ts'
import type { SmolContext } from './context.ts'
import { listMachines, type OwnedMachine } from './machines.ts'
import { hasRunFolder, runPaths } from './run-paths.ts'
import { type RunState, runState } from './run-state.ts'

/** This root's machines and unmarked ones with a bottle's name, in one engine call. @throws BottleError */
export async function listRuntimes(
  context: SmolContext,
  signal: AbortSignal,
  scope: ListScope = { adopted: new Set() },
): Promise<readonly RuntimeFact[]> {
  const found = (await listMachines(context, signal)).filter((one) => isShown(context.rootId, one, scope))
  return inBatches(found, 32, (one) => factOf(context, one))
}

/** Pure. */
export function isShown(
  rootId: string,
  { machine, owner }: OwnedMachine,
  { adopted, slugs }: ListScope,
): boolean {
  if (adopted.has(machine.name)) return true
  if (owner) return owner.root === rootId && owner.role === 'agent' && (!slugs || slugs.includes(owner.slug))
  if (slugs) return slugs.some((slug) => machine.name === containerName(slug))
  return hasBottleName(machine.name)
}

async function factOf(context: SmolContext, one: OwnedMachine): Promise<RuntimeFact> {
  const { owner } = one
  const run: RunState =
    owner && owner.root === context.rootId && hasRunFolder(owner)
      ? await runState(runPaths(context.home, owner))
      : { kind: 'gone' }
  return toFact(one, run)
}

/** Pure: the engine tells of the machine, the runner of the agent in it. */
export function toFact({ machine, owner }: OwnedMachine, run: RunState): RuntimeFact {
  return {
    backend: 'smolmachines',
    id: machine.name,
    name: machine.name,
    root: owner?.root ?? null,
    slug: owner?.slug ?? null,
    runId: owner?.runId ?? null,
    state: stateOf(machine.state, run),
    exitCode: run.kind === 'exited' ? run.exit.exitCode : null,
    image: machine.image ?? '',
    createdAt: machine.createdAt ?? '',
    role: 'agent',
  }
}

function stateOf(state: string, run: RunState): RuntimeFact['state'] {
  if (run.kind === 'exited') return 'exited'
  if (state === 'paused' || state === 'frozen') return 'paused'
  // While a freeze has it stopped the runner waits, and the agent goes on afterwards.
  if (run.kind === 'running') return 'running'
  if (state === 'created') return 'created'
  return state === 'running' || state === 'unreachable' ? 'running' : 'exited'
}
