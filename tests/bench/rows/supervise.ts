import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Row, waitUntil } from '../bench.ts'
import { processCost } from '../window.ts'

/** Fewer for a try on a small machine; the verdict counts for 200. */
const AGENTS = Number(process.env.ICEBOX_BENCH_AGENTS ?? 200)
/** Starts that go on at the same time. */
const AT_ONCE = 4
const IDLE_SECONDS = 60
/** Looks after a start are no idling: screens settle, answers and samples are written. */
const SETTLE_MS = 45_000

/** Row 17: what the supervisor costs while 200 terminal agents of this machine sit still, and what it starts meanwhile. */
export const superviseRow: Row = async (bench) => {
  const agent = `quiet-${bench.mark}`
  const command = '[sh, -c, \'echo ready; while read -r line; do echo "$line"; done\', agent]'
  await bench.home.writeAgent(
    agent,
    `bottle: here\nprovider: custom\ncommand: { headless: ${command}, interactive: ${command} }\nruntime: terminal\nhealth: { enabled: true, interval: 30 }`,
  )
  const slugs: string[] = []
  try {
    for (let first = 1; first <= AGENTS; first += AT_ONCE) {
      const labels = Array.from(
        { length: Math.min(AT_ONCE, AGENTS - first + 1) },
        (_, index) => `${agent}-${first + index}`,
      )
      slugs.push(...labels)
      await Promise.all(labels.map((label) => bench.home.must(['start', agent, '--label', label])))
      if (first % 40 === 1) bench.log(`${slugs.length} agents run`)
    }
    const pid = await supervisorOf(bench.home.dir)
    for (const slug of slugs) {
      await waitUntil(`${slug} was looked at`, () => hasSample(bench.home.dir, slug))
    }
    await delay(SETTLE_MS)
    const before = { ...(await processCost(pid)), faults: await faultsOfChildren(pid) }
    await delay(IDLE_SECONDS * 1000)
    const after = { ...(await processCost(pid)), faults: await faultsOfChildren(pid) }
    const percent = ((after.cpuSeconds - before.cpuSeconds) / IDLE_SECONDS) * 100
    const children = after.faults - before.faults
    return [
      {
        row: 17,
        measure: `supervisor of ${slugs.length} idle agents, CPU of one core`,
        unit: '%',
        ours: percent,
        theirs: null,
        target: '< 1 %',
        isMet: percent < 1,
      },
      {
        row: 17,
        measure: 'page faults of processes that it started meanwhile (0: none)',
        unit: '',
        ours: children,
        theirs: null,
        target: '0',
        isMet: children === 0,
      },
      {
        row: 17,
        measure: `its memory with ${slugs.length} agents`,
        unit: 'MB',
        ours: after.residentBytes / 1e6,
        theirs: null,
        target: '≤ 250 MB',
        isMet: after.residentBytes <= 250e6,
      },
    ]
  } finally {
    for (const slug of slugs) await bench.api.destroy(slug, { home: bench.home.dir })
  }
}

async function supervisorOf(home: string): Promise<number> {
  let pid = 0
  await waitUntil('somebody supervises', async () => {
    const text = await readFile(join(home, 'icebox/supervisor.json'), 'utf8').catch(() => '{}')
    pid = (JSON.parse(text) as { holder?: { pid?: number } | null }).holder?.pid ?? 0
    return pid > 0
  })
  return pid
}

const hasSample = (home: string, slug: string): Promise<boolean> =>
  readFile(join(home, 'state', slug, 'agent/sample.json')).then(
    () => true,
    () => false,
  )

/** Every child that ended and was waited for has had some, so a sum that stands still means that there was none. */
async function faultsOfChildren(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[8])
}
