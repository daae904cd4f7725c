import type { ListScope, RuntimeFact } from '../backend.ts'
import type { Engine } from './engine.ts'
import { hasBottleName, LABEL, labelOf } from './labels.ts'

/** The part of one row of `GET /containers/json` that is used. */
export interface ContainerRow {
  readonly Id: string
  readonly Names: readonly string[] | null
  readonly Image: string
  readonly Created: number
  readonly State: string
  readonly Status: string
  readonly Labels: Readonly<Record<string, string>> | null
}

const LIST_MS = 30_000

/** This root's containers and unlabelled ones with a bottle's name, in one engine call. @throws BottleError */
export async function listRuntimes(
  engine: Engine,
  rootId: string,
  signal: AbortSignal,
  scope: ListScope = { adopted: new Set() },
): Promise<RuntimeFact[]> {
  const path = `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(listFilters(scope)))}`
  const rows = await engine.get<ContainerRow[]>('list containers', path, signal, LIST_MS)
  return rows
    .map(toFact)
    .filter(
      (fact) =>
        fact.root === rootId ||
        scope.adopted.has(fact.id) ||
        (fact.root === null && hasBottleName(fact.name)),
    )
}

/** What the engine may leave out. Adopted containers have any name, and the filters of one call can't be either-or. Pure. */
function listFilters({ adopted, slugs }: ListScope): Readonly<Record<string, readonly string[]>> {
  if (adopted.size > 0) return slugs?.length === adopted.size ? { id: [...adopted] } : {}
  return { name: slugs ? slugs.map((slug) => `bot-bottle-${slug}`) : ['bot-bottle-'] }
}

/** Pure: one row as the rest of Icebox knows it. */
export function toFact(row: ContainerRow): RuntimeFact {
  const state = stateOf(row.State)
  return {
    backend: 'docker',
    id: row.Id,
    name: ownName(row.Names ?? []),
    root: labelOf(row.Labels, LABEL.root),
    slug: labelOf(row.Labels, LABEL.slug),
    runId: labelOf(row.Labels, LABEL.run),
    state,
    exitCode: state === 'exited' ? exitCodeIn(row.Status) : null,
    image: row.Image,
    createdAt: new Date(row.Created * 1000).toISOString(),
    role: labelOf(row.Labels, LABEL.role) === 'sidecar' ? 'sidecar' : 'agent',
  }
}

/** Legacy links show as `/other/alias`; a container's own name has one slash only. */
function ownName(names: readonly string[]): string {
  return (names.find((name) => name.lastIndexOf('/') === 0) ?? names[0] ?? '').replace(/^\//, '')
}

function stateOf(state: string): RuntimeFact['state'] {
  if (state === 'created' || state === 'running' || state === 'paused') return state
  return state === 'restarting' ? 'running' : 'exited'
}

function exitCodeIn(status: string): number | null {
  const found = /^Exited \((-?\d+)\)/.exec(status)
  return found ? Number(found[1]) : null
}
