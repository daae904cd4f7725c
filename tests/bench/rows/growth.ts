import { join } from 'node:path'
import { must } from '../../support/busybox-image.ts'
import { OUT } from '../../support/icebox-home.ts'
import { type Bench, type Row, type RunningBottle, startSitter } from '../bench.ts'
import { fillHome } from '../many-bottles.ts'
import { type Finding, median, millisecondsOf } from '../measure.ts'
import { openChromium, serve } from '../window.ts'
import { eventDelays } from './window.ts'

interface Point {
  readonly bottles: number
  readonly freeze: number
  readonly list: number
  readonly patch: number
}

/** Row 16: what freeze, list and patch cost as the number of bottles grows, against themselves. */
export const growthRow: Row = async (bench) => {
  const bottle = await startSitter(bench)
  const points: Point[] = []
  try {
    for (const bottles of [10, 100, 1000]) {
      bench.log(`making ${bottles} bottles`)
      await fillHome(bench, bottles, false)
      points.push({ bottles, ...(await cost(bench, bottle)) })
    }
  } finally {
    await bottle.end()
  }
  const [few, some, many] = points
  if (!few || !some || !many) throw new Error('not all sizes were measured')
  const perBottle = (from: Point, to: Point) => (to.list - from.list) / (to.bottles - from.bottles)
  const findings: Finding[] = [
    flat('freeze', few.freeze, many.freeze),
    flat('patch', few.patch, many.patch),
    {
      row: 16,
      measure: 'list per bottle, 1000 against 100',
      unit: 'ms',
      ours: perBottle(some, many),
      theirs: perBottle(few, some),
      target: 'linear: ≤ 1.5×',
      // Below 20 µs a bottle the slope is noise.
      isMet: perBottle(some, many) <= Math.max(perBottle(few, some) * 1.5, 0.02),
    },
  ]
  return findings
}

function flat(name: string, few: number, many: number): Finding {
  const measure = `${name} at 1000 bottles against 10`
  // Ten milliseconds are below what a person or a script can tell.
  return {
    row: 16,
    measure,
    unit: 'ms',
    ours: many,
    theirs: few,
    target: 'flat: ≤ 1.2× + 10 ms',
    isMet: many <= few * 1.2 + 10,
  }
}

async function cost(bench: Bench, bottle: RunningBottle): Promise<Omit<Point, 'bottles'>> {
  const env = { ...process.env, ICEBOX_HOME: bench.home.dir }
  const samples = { freeze: [] as number[], list: [] as number[] }
  for (let round = 0; round <= bench.rounds; round++) {
    await bottle.exec('echo . >> /workspace/changes')
    samples.freeze.push(await millisecondsOf(() => bench.api.freeze(bottle.slug, { home: bench.home.dir })))
    samples.list.push(
      await millisecondsOf(() => must(process.execPath, [join(OUT, 'main/cli.js'), 'list', '--json'], env)),
    )
  }
  const served = await serve(bench)
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    await page.goto(served.url)
    await page.locator(`[data-slug="${bottle.slug}"]`).waitFor()
    const patches = await eventDelays(bench, bottle, page, bench.rounds * 2)
    return {
      freeze: median(samples.freeze.slice(1)),
      list: median(samples.list.slice(1)),
      patch: median(patches),
    }
  } finally {
    await browser.close()
    await served.stop()
  }
}
