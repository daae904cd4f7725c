import type { Bottle } from '../../../src-preload/contract/entities.ts'
import type { Face } from '../face.ts'
import { withIcebox } from '../session.ts'
import { isActive, stateCell } from '../state-word.ts'
import { type Column, formatTable } from '../table.ts'
import { formatAge, formatBytes } from '../units.ts'
import { usageError } from '../usage.ts'

export interface ListFlags {
  readonly all?: boolean
  readonly active?: boolean
  readonly agents?: boolean
}

/** `icebox list`: every bottle, or only those that run, or the agent definitions. */
export async function list(face: Face, flags: ListFlags): Promise<number> {
  if (flags.agents) {
    if (flags.active)
      throw usageError('--agents lists definitions, which are never active. Leave --active out.')
    return (await import('./agents.ts')).agents(face, {})
  }
  if (flags.all && flags.active) throw usageError('--all and --active exclude each other.')
  const found = await withIcebox(face, (icebox) => icebox.bottles.list(face.signal))
  const bottles = flags.active ? found.filter(isActive) : found
  await face.result({
    json: bottles,
    text: bottles.length === 0 ? emptyText(found.length) : bottleTable(face, bottles, Date.now()),
    essential: bottles.map((bottle) => bottle.slug).join('\n'),
  })
  return 0
}

function emptyText(hidden: number): string {
  return hidden > 0
    ? 'No bottle runs. `icebox list` shows the others.'
    : 'There are no bottles yet. `icebox init` writes a first agent, `icebox start AGENT` starts it.'
}

/** The table for a person: what it is, how it does, since when, and what is kept of it. */
export function bottleTable(
  face: Pick<Face, 'paint' | 'unicode' | 'stdout'>,
  bottles: readonly Bottle[],
  now: number,
): string {
  const columns: Column<Bottle>[] = [
    { title: 'BOTTLE', cell: (row) => ({ text: row.slug, colour: 'bold' }), shrinkTo: 12 },
    { title: 'STATE', cell: (row) => stateCell(row, face.unicode) },
    { title: 'AGENT', cell: (row) => row.agent, shrinkTo: 8 },
    { title: 'BACKEND', cell: (row) => row.backend },
    { title: 'STARTED', cell: (row) => formatAge(row.startedAt, now) },
    { title: 'FROZEN', cell: (row) => formatAge(row.lastFrozenAt, now) },
    { title: 'SNAPSHOTS', cell: (row) => (row.snapshots === 0 ? '' : String(row.snapshots)), align: 'right' },
    { title: 'SIZE', cell: (row) => (row.bytes === null ? '' : formatBytes(row.bytes)), align: 'right' },
    { title: 'MIND', cell: (row) => ({ text: row.badges.join(', '), colour: 'yellow' }), shrinkTo: 8 },
  ]
  return formatTable(bottles, columns, { width: face.stdout.width, paint: face.paint })
}
