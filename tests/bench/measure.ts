/** The middle value; of an even count the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) throw new Error('no values')
  return (upper + lower) / 2
}

/** The value that this share of the values does not exceed; `share` between 0 and 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('no values')
  return value
}

/** Milliseconds that the work takes; what it returns is thrown away. */
export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - started) / 1e6
}

export type Sample = () => Promise<number>

/**
 * Samples two sides in turns, and each round the other way round, so that a drifting machine hits both alike.
 * One unmeasured round warms caches up.
 */
export async function interleave(
  ours: Sample,
  theirs: Sample,
  rounds: number,
): Promise<{ readonly ours: number[]; readonly theirs: number[] }> {
  await ours()
  await theirs()
  const found = { ours: [] as number[], theirs: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) found.ours.push(await ours())
    found.theirs.push(await theirs())
    if (round % 2 === 1) found.ours.push(await ours())
  }
  return found
}

/** One line of the table. `theirs` is null where the target is a budget. */
export interface Finding {
  readonly row: number
  readonly measure: string
  readonly unit: string
  readonly ours: number
  readonly theirs: number | null
  readonly target: string
  readonly isMet: boolean
}

const COLUMNS = ['#', 'measure', 'ours', 'theirs', 'ratio', 'target', 'verdict'] as const

/** The findings as aligned text, one line each. Pure. */
export function formatTable(findings: readonly Finding[]): string {
  const cells = [
    [...COLUMNS] as string[],
    ...findings.map((found) => [
      String(found.row),
      found.measure,
      `${round(found.ours)} ${found.unit}`,
      found.theirs === null ? '–' : `${round(found.theirs)} ${found.unit}`,
      found.theirs === null ? '–' : (found.ours / found.theirs).toFixed(2),
      found.target,
      found.isMet ? 'ok' : 'MISSED',
    ]),
  ]
  const widths = COLUMNS.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)))
  return cells
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function round(value: number): string {
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : value.toFixed(2)
}
