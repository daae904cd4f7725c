import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import { type ProcessRow, processesWithVariable, processTable } from './process-table.ts'

/** A process that belongs to a run, and how far below the runner it stands. */
export interface Member extends ProcessRow {
  readonly depth: number
}

export interface RunProcesses {
  readonly identity: ProcessIdentity
  readonly runId: string
  /** With a process namespace nothing can escape its parents, which spares reading every environment. */
  readonly isContained: boolean
}

/** Depth of what was found without a way up to the runner: never taken for a wrapper. */
const STRAY = 100

/**
 * Who belongs to a run: the runner, its session and group, the strays named, and all below them; parents first.
 * Never this process or what it started itself, so that a bottle can freeze itself. Pure.
 */
export function familyOf(
  table: readonly ProcessRow[],
  runner: number | null,
  strays: readonly number[],
  self: number,
): readonly Member[] {
  const children = Map.groupBy(table, (row) => row.parent)
  const rows = new Map(table.map((row) => [row.pid, row]))
  const depths = new Map<number, number>()
  const grow = (roots: readonly number[], depth: number): void => {
    let level = roots
    for (let at = depth; level.length > 0; at++) {
      const fresh = level.filter((pid) => pid > 1 && rows.has(pid) && !depths.has(pid))
      for (const pid of fresh) depths.set(pid, at)
      level = fresh.flatMap((pid) => (children.get(pid) ?? []).map((row) => row.pid))
    }
  }
  if (runner !== null) {
    grow([runner], 0)
    grow(
      table.filter((row) => row.session === runner || row.group === runner).map((row) => row.pid),
      STRAY,
    )
  }
  grow(strays, STRAY)
  // Only when this process runs inside the bottle: its own children then work for it, not for the agent.
  const spared = depths.has(self) ? below(children, [self]) : new Set<number>()
  return [...depths]
    .filter(([pid]) => !spared.has(pid))
    .flatMap(([pid, depth]) => {
      const row = rows.get(pid)
      return row && row.state !== 'Z' && row.state !== 'X' ? [{ ...row, depth }] : []
    })
    .sort((a, b) => a.depth - b.depth || a.pid - b.pid)
}

function below(
  children: ReadonlyMap<number, readonly ProcessRow[]>,
  roots: readonly number[],
): ReadonlySet<number> {
  const found = new Set(roots)
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child.pid)
  return found
}

/** The living processes of a run, parents first. A reused pid is never among them. */
export async function runFamily(run: RunProcesses): Promise<readonly Member[]> {
  const isRunnerAlive = await isAlive(run.identity)
  const table = await processTable()
  const strays =
    run.isContained && isRunnerAlive ? [] : await processesWithVariable(table, 'ICEBOX_RUN', run.runId)
  return familyOf(table, isRunnerAlive ? run.identity.pid : null, strays, process.pid)
}

/** Sends a signal; false when the process is gone or belongs to somebody else. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}
