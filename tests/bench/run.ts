import { writeFile } from 'node:fs/promises'
import { inspect, parseArgs } from 'node:util'
import { type Row, withBench } from './bench.ts'
import { type Finding, formatTable } from './measure.ts'
import { exportRow, siblingRow } from './rows/artifacts.ts'
import { desktopDragRow, desktopEventRow, desktopIdleRow, desktopPaintRow } from './rows/desktop.ts'
import { diffRow } from './rows/diff.ts'
import { freezeRow, resumeRow, standStillRow } from './rows/freeze.ts'
import { growthRow } from './rows/growth.ts'
import { hostFreezeRow } from './rows/host.ts'
import { importRow } from './rows/import.ts'
import { listRow } from './rows/list.ts'
import { superviseRow } from './rows/supervise.ts'
import { eventRow, idleRow, paintRow } from './rows/window.ts'

/** Some rows are measured in the browser face and in the desktop's. */
const ROWS: ReadonlyMap<number, readonly Row[]> = new Map([
  [1, [freezeRow]],
  [2, [standStillRow]],
  [3, [resumeRow]],
  [4, [listRow]],
  [5, [exportRow]],
  [6, [siblingRow]],
  [7, [importRow]],
  [8, [eventRow, desktopEventRow]],
  [10, [paintRow, desktopPaintRow]],
  [11, [idleRow, desktopIdleRow]],
  [12, [diffRow]],
  [14, [desktopDragRow]],
  [15, [hostFreezeRow]],
  [16, [growthRow]],
  [17, [superviseRow]],
])

const HELP = `npm run bench [-- --row N… --rounds N --json FILE]
  --row N      only this row (${[...ROWS.keys()].join(', ')}); may be repeated
  --rounds N   samples of each side, at least 7 for a verdict that counts (default 9)
  --json FILE  also write the findings there
The build in out/ is measured: run npm run build first. Docker, Chromium and busybox must be there.`

/** Every row has a state root of its own, so that one row's bottles are not in another's list. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      row: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '9' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const wanted = values.row?.map(Number) ?? [...ROWS.keys()]
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1 on')
  const findings: Finding[] = []
  const failures: string[] = []
  for (const number of wanted) {
    const rows = ROWS.get(number)
    if (!rows) throw new Error(`There is no row ${number}.\n${HELP}`)
    for (const row of rows) {
      process.stderr.write(`row ${number}\n`)
      try {
        findings.push(...(await withBench(rounds, row)))
      } catch (error) {
        // The other rows are worth having; the run fails all the same.
        failures.push(`row ${number}: ${inspect(error)}`)
      }
    }
  }
  console.log(formatTable(findings))
  for (const failure of failures) console.log(`\nNot measured: ${failure}`)
  if (values.json) await writeFile(values.json, `${JSON.stringify({ findings, failures }, null, 2)}\n`)
  return failures.length > 0 || findings.some((finding) => !finding.isMet) ? 1 : 0
}

process.exitCode = await main()
