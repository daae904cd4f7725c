import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { DESKTOP_CHANNELS } from '../../../src-preload/contract/desktop.ts'
import type { Result } from '../../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../../src-preload/contract/wire.ts'
import { type DesktopApp, type DesktopOptions, launchDesktop } from '../../support/desktop-app.ts'
import { type Bench, type Row, type RunningBottle, startSitter, writeScriptAgent } from '../bench.ts'
import { fillHome } from '../many-bottles.ts'
import { type Finding, interleave, median, percentile } from '../measure.ts'
import { processCost } from '../window.ts'
import { eventDelays } from './window.ts'

// Rows 8, 10, 11 and 14 for the desktop face: on Electron where its binary is, else on the stand-in, and then said so.

const EVENTS = 40
const IDLE_SECONDS = 20
const REAL = 'desktop'

/** Runs the built app for one row. */
async function withDesktop<T>(
  options: DesktopOptions,
  use: (app: DesktopApp, face: string) => Promise<T>,
): Promise<T> {
  const app = await launchDesktop(options)
  try {
    return await use(app, app.isStandIn ? 'desktop, stand-in' : REAL)
  } finally {
    await app.close()
  }
}

function budget(row: number, measure: string, unit: string, ours: number, most: number): Finding {
  return { row, measure, unit, ours, theirs: null, target: `≤ ${most} ${unit}`, isMet: ours <= most }
}

/** Row 8: from the engine's event to the changed row in the window. */
export const desktopEventRow: Row = async (bench) => {
  const bottle = await startSitter(bench)
  try {
    return await withDesktop({ home: bench.home.dir }, async (app, face) => {
      const page = await app.page()
      await page.locator(`[data-slug="${bottle.slug}"]`).waitFor()
      const delays = await eventDelays(bench, bottle, page, EVENTS)
      return [budget(8, `event to row, p95 (${face})`, 'ms', percentile(delays, 0.95), 50)]
    })
  } finally {
    await bottle.end()
  }
}

/** Row 10: from process start to the first painted list; beside it the same for an app that has nothing but a window. */
export const desktopPaintRow: Row = async (bench) => {
  await fillHome(bench, 20, false)
  const bare = { home: join(bench.home.dir, 'bare'), root: await bareApp(bench) }
  let face = ''
  const start = async (options: DesktopOptions, first: string): Promise<number> => {
    const from = Date.now()
    return withDesktop(options, async (app, name) => {
      face = name
      await (await app.page()).locator(first).first().waitFor()
      return Date.now() - from
    })
  }
  const { ours, theirs } = await interleave(
    () => start({ home: bench.home.dir }, '[data-slug]'),
    () => start(bare, 'text=bare'),
    bench.rounds,
  )
  const list = median(ours)
  return [
    {
      row: 10,
      measure: `process start to list, beside a bare window (${face})`,
      unit: 'ms',
      ours: list,
      theirs: median(theirs),
      target: '≤ 1000 ms',
      isMet: list <= 1000,
    },
  ]
}

/** Row 11: what the main process costs when nothing happens; beside it an app that has nothing but a window. */
export const desktopIdleRow: Row = async (bench) => {
  const bottles: RunningBottle[] = []
  try {
    for (let count = 0; count < 4; count++) bottles.push(await startSitter(bench))
    await fillHome(bench, 20, true)
    const bare = await idleCost({ home: join(bench.home.dir, 'bare'), root: await bareApp(bench) }, null)
    const ours = await idleCost({ home: bench.home.dir }, `[data-slug="${bottles[0]?.slug}"]`)
    return [
      {
        row: 11,
        measure: `idle CPU, 20 bottles, beside a bare window (${ours.face})`,
        unit: '%',
        ours: ours.percent,
        theirs: bare.percent,
        target: '≤ 0.5 %',
        isMet: ours.percent <= 0.5,
      },
      {
        row: 11,
        // On the stand-in the main process holds Playwright too: the bare window tells what that is.
        measure: `idle memory of main, beside a bare window (${ours.face})`,
        unit: 'MB',
        ours: ours.megabytes,
        theirs: bare.megabytes,
        target: '≤ 120 MB',
        isMet: ours.megabytes <= 120,
      },
    ]
  } finally {
    for (const bottle of bottles) await bottle.end()
  }
}

async function idleCost(options: DesktopOptions, ready: string | null) {
  return withDesktop(options, async (app, face) => {
    const page = await app.page()
    if (ready) await page.locator(ready).waitFor()
    // Starting up is not idling: caches fill, lazy parts load.
    await new Promise((resolve) => setTimeout(resolve, 5000))
    const before = await processCost(app.pid)
    await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000))
    const after = await processCost(app.pid)
    return {
      face,
      percent: ((after.cpuSeconds - before.cpuSeconds) / IDLE_SECONDS) * 100,
      megabytes: after.residentBytes / 1e6,
    }
  })
}

/** An app that opens an empty window and does nothing. */
async function bareApp(bench: Bench): Promise<string> {
  const dir = join(bench.home.dir, 'bare-app')
  await mkdir(dir, { recursive: true })
  await writeFile(
    join(dir, 'package.json'),
    '{"name":"bare","version":"1.0.0","type":"module","main":"main.js"}',
  )
  await writeFile(
    join(dir, 'main.js'),
    `import { app, BrowserWindow } from 'electron'
void app.whenReady().then(() => new BrowserWindow().loadURL('data:text/html,bare'))\n`,
  )
  return dir
}

interface Timed {
  dragTimes?: number[]
}

/** Row 14: in main, from the page's message to the start of the system's drag. */
export const desktopDragRow: Row = async (bench) => {
  const agent = await writeScriptAgent(bench, 'dragged', 'here', 'echo "$1" > made')
  const slug = await bench.api.startHeadless(agent, {
    prompt: 'x',
    label: `dragged-${bench.mark}`,
    home: bench.home.dir,
  })
  const { id } = await bench.api.freeze(slug, { home: bench.home.dir })
  return withDesktop({ home: bench.home.dir }, async (app, face) => {
    const page = await app.page()
    await page.locator(`[data-slug="${slug}"]`).waitFor()
    const token = await readyToken(page, slug, id)
    // The drag itself is the system's and would last until a drop; what counts is when it is asked for.
    await app.evaluate(({ ipcMain, webContents }, channel) => {
      const here = globalThis as Timed
      here.dragTimes = []
      let arrived = 0
      ipcMain.prependListener(channel, () => {
        arrived = performance.now()
      })
      for (const contents of webContents.getAllWebContents())
        contents.startDrag = () => void here.dragTimes?.push(performance.now() - arrived)
    }, DESKTOP_CHANNELS.drag)
    const count = Math.max(bench.rounds, 20)
    for (let at = 0; at < count; at++) {
      await page.evaluate(
        (value) => (window as unknown as { icebox: IceboxBridge }).icebox.desktop?.startDrag([value]),
        token,
      )
      await waitFor(async () => (await times(app)).length === at + 1)
    }
    return [
      budget(
        14,
        `drag start in main, slowest of ${count} (${face})`,
        'ms',
        Math.max(...(await times(app))),
        16,
      ),
    ]
  })
}

function times(app: DesktopApp): Promise<readonly number[]> {
  return app.evaluate(() => (globalThis as Timed).dragTimes ?? [])
}

/** Asks until the snapshot's file lies ready, as a row that is pointed at does. */
async function readyToken(page: Page, slug: string, snapshot: string): Promise<string> {
  let token: string | undefined
  await waitFor(async () => {
    const result = await page.evaluate(
      (args) =>
        (window as unknown as { icebox: IceboxBridge }).icebox.call('artifact:prepare', args) as Promise<
          Result<unknown>
        >,
      { slug, snapshot },
    )
    if (!result.ok) throw new Error(result.error.message)
    const value = result.value as { readonly token?: string }
    token = value.token
    return token !== undefined
  })
  return token ?? ''
}

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
