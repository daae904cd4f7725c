import { readdir } from 'node:fs/promises'
import type { RuntimeFact } from '../backend.ts'
import { inBatches } from '../local/in-batches.ts'
import type { HostContext } from './host-context.ts'
import { bottlePaths, indexDir, parseIndexName, runPaths } from './paths.ts'
import { hostFacts, type RunState, runState } from './run-record.ts'

/** The recorded runs of this root or of some bottles, the newest one each. Starts no process, however many. */
export async function listRuns(
  context: HostContext,
  slugs?: readonly string[],
): Promise<readonly RuntimeFact[]> {
  const names = await readdir(indexDir(context.home)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[]
    throw error
  })
  const facts = await inBatches(names, 32, async (name) => {
    const parsed = parseIndexName(name)
    if (!parsed || (slugs && !slugs.includes(parsed.slug))) return null
    return factOf(context, parsed.slug, parsed.runId)
  })
  return newestPerBottle(facts.filter((fact) => fact !== null))
}

/** What one run looks like now; null when it has no record any more. */
export async function factOf(context: HostContext, slug: string, runId: string): Promise<RuntimeFact | null> {
  const state = await runState(runPaths(bottlePaths(context.home, slug), runId))
  return state.kind === 'gone' ? null : toFact(context.rootId, state)
}

const pids = new WeakMap<RuntimeFact, number>()

/** The runner's pid of a fact from here, without a look at anything; 0 for any other. */
export function pidOf(fact: RuntimeFact): number {
  return pids.get(fact) ?? 0
}

function toFact(rootId: string, state: Exclude<RunState, { kind: 'gone' }>): RuntimeFact {
  const { ref, startedAt } = state.record
  const fact: RuntimeFact = {
    backend: 'host',
    id: ref.id,
    name: ref.name,
    root: rootId,
    slug: ref.slug,
    runId: ref.runId,
    state: state.kind,
    exitCode: state.kind === 'exited' ? state.exit.exitCode : null,
    image: '',
    createdAt: startedAt,
    role: 'agent',
  }
  pids.set(fact, hostFacts(ref).identity.pid)
  return fact
}

/** Pure. */
export function newestPerBottle(facts: readonly RuntimeFact[]): readonly RuntimeFact[] {
  const newest = new Map<string | null, RuntimeFact>()
  for (const fact of facts) {
    const known = newest.get(fact.slug)
    if (!known || known.createdAt < fact.createdAt) newest.set(fact.slug, fact)
  }
  return [...newest.values()]
}
