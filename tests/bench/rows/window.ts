import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright'
import { OUT } from '../../support/icebox-home.ts'
import { type Bench, type Row, type RunningBottle, startSitter } from '../bench.ts'
import { fillHome } from '../many-bottles.ts'
import { median, percentile } from '../measure.ts'
import { openChromium, processCost, serve, watchRow } from '../window.ts'

const EVENTS = 40

/** Row 8: from the engine's event to the changed row in the page. */
export const eventRow: Row = async (bench) => {
  const bottle = await startSitter(bench)
  const served = await serve(bench)
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    await page.goto(served.url)
    await page.locator(`[data-slug="${bottle.slug}"]`).waitFor()
    const delays = await eventDelays(bench, bottle, page, EVENTS)
    const ours = percentile(delays, 0.95)
    return [
      {
        row: 8,
        measure: 'event to row, p95',
        unit: 'ms',
        ours,
        theirs: null,
        target: '≤ 50 ms',
        isMet: ours <= 50,
      },
    ]
  } finally {
    await browser.close()
    await served.stop()
    await bottle.end()
  }
}

/** Pauses and unpauses the bottle and returns how long after each event the row told of it. */
export async function eventDelays(
  bench: Bench,
  bottle: RunningBottle,
  page: Page,
  count: number,
): Promise<number[]> {
  const delays: number[] = []
  for (let round = 0; round < count; round++) {
    const [action, word] =
      round % 2 === 0 ? (['pause', /paused/] as const) : (['unpause', /running|working/] as const)
    const seen = await watchRow(page, bottle.slug, word)
    const since = Math.floor(Date.now() / 1000)
    await bench.engine.call('POST', `/containers/${bottle.container}/${action}`)
    const shown = await seen()
    const filters = encodeURIComponent(JSON.stringify({ container: [bottle.container], event: [action] }))
    const until = Math.ceil(Date.now() / 1000)
    const text = JSON.stringify(
      await bench.engine.call('GET', `/events?since=${since}&until=${until}&filters=${filters}`),
    )
    const nanoseconds = [...text.matchAll(/timeNano\\*":(\d+)/g)].map(([, at]) => Number(at))
    delays.push(shown - Math.max(...nanoseconds) / 1e6)
  }
  return delays
}

/** Row 10: from process start to the first painted list, the same from a running server, and what the page weighs. */
export const paintRow: Row = async (bench) => {
  await fillHome(bench, 20, false)
  const browser = await openChromium()
  const cold: number[] = []
  const warm: number[] = []
  try {
    for (let round = 0; round <= bench.rounds; round++) {
      const context = await browser.newContext()
      const page = await context.newPage()
      const from = Date.now()
      const served = await serve(bench)
      await page.goto(served.url)
      await page.locator('[data-slug]').first().waitFor()
      cold.push(Date.now() - from)
      const again = Date.now()
      await page.reload()
      await page.locator('[data-slug]').first().waitFor()
      warm.push(Date.now() - again)
      await context.close()
      await served.stop()
    }
  } finally {
    await browser.close()
  }
  const [first, second] = [median(cold.slice(1)), median(warm.slice(1))]
  const kilobytes = (await pageBytes()) / 1000
  return [
    {
      row: 10,
      measure: 'process start to list',
      unit: 'ms',
      ours: first,
      theirs: null,
      target: '≤ 1000 ms',
      isMet: first <= 1000,
    },
    {
      row: 10,
      measure: 'list from a running server',
      unit: 'ms',
      ours: second,
      theirs: null,
      target: '≤ 400 ms',
      isMet: second <= 400,
    },
    {
      row: 10,
      measure: 'page before lazy parts, gzip',
      unit: 'kB',
      ours: kilobytes,
      theirs: null,
      target: '≤ 300 kB',
      isMet: kilobytes <= 300,
    },
  ]
}

/** Bytes, compressed, of everything that the page loads before it asks for lazy parts. */
async function pageBytes(): Promise<number> {
  const dir = join(OUT, 'renderer')
  const files = await readdir(join(dir, 'assets'))
  const seen = new Set<string>()
  const visit = async (name: string): Promise<void> => {
    if (seen.has(name) || !files.includes(name)) return
    seen.add(name)
    if (!name.endsWith('.js')) return
    const text = await readFile(join(dir, 'assets', name), 'utf8')
    for (const [, inner = ''] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) await visit(inner)
  }
  const html = await readFile(join(dir, 'index.html'), 'utf8')
  for (const [, name = ''] of html.matchAll(/assets\/([^"']+)["']/g)) await visit(name)
  if (seen.size === 0) throw new Error('the built page names no assets')
  const sizes = await Promise.all(
    [...seen].map(async (name) => gzipSync(await readFile(join(dir, 'assets', name))).length),
  )
  return sizes.reduce((sum, size) => sum + size, gzipSync(html).length)
}

const IDLE_SECONDS = 20
const MANY_EVENTS = Number(process.env.ICEBOX_BENCH_EVENTS ?? 20_000)

/** Row 11: what the server costs when nothing happens, and whether many events leave anything behind. */
export const idleRow: Row = async (bench) => {
  const bottles: RunningBottle[] = []
  for (let count = 0; count < 4; count++) bottles.push(await startSitter(bench))
  await fillHome(bench, 20, true)
  const served = await serve(bench, { inspect: true })
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    await page.goto(served.url)
    await page.locator(`[data-slug="${bottles[0]?.slug}"]`).waitFor()
    // Starting up is not idling: caches fill, lazy parts load.
    await new Promise((resolve) => setTimeout(resolve, 5000))
    const before = await processCost(served.pid)
    await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000))
    const after = await processCost(served.pid)
    const share = ((after.cpuSeconds - before.cpuSeconds) / IDLE_SECONDS) * 100
    const megabytes = after.residentBytes / 1e6
    const growth = await heapGrowth(bench, bottles, served.heapBytes)
    const shown = `heap after ${MANY_EVENTS} events`
    return [
      {
        row: 11,
        measure: 'idle CPU, 20 bottles',
        unit: '%',
        ours: share,
        theirs: null,
        target: '≤ 0.5 %',
        isMet: share <= 0.5,
      },
      {
        row: 11,
        measure: 'idle memory',
        unit: 'MB',
        ours: megabytes,
        theirs: null,
        target: '≤ 120 MB',
        isMet: megabytes <= 120,
      },
      {
        row: 11,
        measure: shown,
        unit: 'MB',
        ours: growth,
        theirs: null,
        target: '± 5 MB',
        isMet: Math.abs(growth) <= 5,
      },
    ]
  } finally {
    await browser.close()
    await served.stop()
    for (const bottle of bottles) await bottle.end()
  }
}

async function heapGrowth(
  bench: Bench,
  bottles: readonly RunningBottle[],
  heapBytes: () => Promise<number>,
): Promise<number> {
  // Renamed and back: pausing this fast makes the engine lose track of what is paused.
  const twice = async ({ container }: RunningBottle) => {
    await bench.engine.call('POST', `/containers/${container}/rename?name=${container}.prev-bench`)
    await bench.engine.call('POST', `/containers/${container}.prev-bench/rename?name=${container}`)
  }
  const events = async (count: number) => {
    for (let left = count / 2 / bottles.length; left > 0; left--) await Promise.all(bottles.map(twice))
  }
  // Buffers reach their size within the first few hundred.
  await events(500)
  const before = await heapBytes()
  bench.log(`causing ${MANY_EVENTS} events`)
  await events(MANY_EVENTS)
  return ((await heapBytes()) - before) / 1e6
}
