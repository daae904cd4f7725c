import { join } from 'node:path'
import { must } from '../../support/busybox-image.ts'
import { OUT } from '../../support/icebox-home.ts'
import type { Bench, Row } from '../bench.ts'
import { fillHome } from '../many-bottles.ts'
import { type Finding, interleave, median, millisecondsOf } from '../measure.ts'

/** Row 4: `icebox list --json`, without what any Node program costs, against `docker ps -a`. */
export const listRow: Row = async (bench) => {
  const findings: Finding[] = []
  for (const count of [3, 500]) {
    bench.log(`making ${count} bottles`)
    await fillHome(bench, count, true)
    findings.push(...(await listAgainstDocker(bench, count)))
  }
  return findings
}

async function listAgainstDocker(bench: Bench, count: number): Promise<Finding[]> {
  const env = { ...process.env, ICEBOX_HOME: bench.home.dir }
  const list = () => must(process.execPath, [join(OUT, 'main/cli.js'), 'list', '--json'], env)
  const rows = JSON.parse(await list()) as unknown[]
  if (rows.length !== count) throw new Error(`${rows.length} bottles are listed, not ${count}`)
  const bare: number[] = []
  const found = await interleave(
    async () => {
      bare.push(await millisecondsOf(() => must(process.execPath, ['-e', '0'], env)))
      return millisecondsOf(list)
    },
    () => millisecondsOf(() => must('docker', ['ps', '-a', '--format', '{{json .}}'])),
    bench.rounds * 2,
  )
  const whole = median(found.ours)
  const ours = whole - median(bare.slice(1))
  const theirs = median(found.theirs)
  const measure = `list, ${count} bottles`
  return [
    {
      row: 4,
      measure: `${measure}, less bare node`,
      unit: 'ms',
      ours,
      theirs,
      target: '≤ 3×',
      isMet: ours <= theirs * 3,
    },
    {
      row: 4,
      measure: `${measure}, whole`,
      unit: 'ms',
      ours: whole,
      theirs: null,
      target: '≤ 60 ms',
      isMet: whole <= 60,
    },
  ]
}
