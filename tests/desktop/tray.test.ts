import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Records, ShownItem } from '../support/desktop/driver.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

let bottles: TestBottles
let app: DesktopApp
/** Resumed without words, it rests again. */
const RESTING_AGENT = `
provider: custom
bottle: box
command:
  headless: [sh, -c, "{prompt}"]
  interactive: [sh]
  resume: [sh, -c, "cat marker; exec sleep 1000"]
`
const PATIENT = { timeout: 60_000, interval: 100 }

beforeAll(async () => {
  bottles = await makeTestBottles('backend: host')
  await bottles.home.writeAgent('shell', RESTING_AGENT)
  app = await launchDesktop({ home: bottles.home.dir })
})
afterAll(async () => {
  await app?.close()
  await bottles?.dispose()
})

/** A headless agent of this machine that rests, started as from a terminal. */
async function launch(label: string, script = 'echo kept > marker; exec sleep 1000'): Promise<string> {
  const { slug, ended } = await bottles.launch(script, label)
  ended.catch(() => undefined)
  return slug
}

async function labels(...path: readonly string[]): Promise<readonly string[]> {
  let items: readonly ShownItem[] = (await app.trayItems()) ?? []
  for (const step of path) items = items.find(({ label }) => label.startsWith(step))?.items ?? []
  return items.filter(({ type }) => type !== 'separator').map(({ label }) => label)
}

/** Clicks the tray's item whose labels begin so, once it is there and may be clicked. */
async function click(...path: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    let items: readonly ShownItem[] = (await app.trayItems()) ?? []
    const whole: string[] = []
    for (const step of path) {
      const found = items.find(({ label }) => label.startsWith(step))
      if (!found?.enabled)
        throw new Error(`${step} is ${found ? 'greyed' : 'not'} in ${items.map((i) => i.label)}`)
      whole.push(found.label)
      items = found.items
    }
    await app.clickTray(...whole)
  }, PATIENT)
}

/** Changes a setting as the page does. */
async function set(key: string, value: unknown): Promise<void> {
  const page = await app.page()
  const result = await page.evaluate(
    ([name, wanted]) => window.icebox?.call('settings:set', { key: name, value: wanted }),
    [key, value] as const,
  )
  expect(result).toMatchObject({ ok: true })
}

async function when(what: (records: Records) => unknown): Promise<Records> {
  return vi.waitFor(async () => {
    const records = await app.records()
    if (!what(records)) throw new Error(JSON.stringify({ ...records, windows: records.windows.length }))
    return records
  }, PATIENT)
}

const noticeOf = ({ notifications }: Records, title: string) =>
  notifications.find((notice) => notice.title === title)
const waitForLabel = (label: string) =>
  vi.waitFor(async () => expect(await labels()).toContain(label), PATIENT)
const isStatus = (text: string) => (records: Records) => records.tray?.tooltip.startsWith(`Icebox: ${text}`)
/** Something runs, and nothing is at work on it. */
const isCalm = ({ tray }: Records) => /^Icebox: \d+ running$/.test(tray?.tooltip ?? '')
const noWindow = ({ windows }: Records) => windows.every(({ isVisible }) => !isVisible)

test('the tray works with no window: freeze, stop, resume from the recent snapshots, freeze all', async () => {
  await app.page()
  const idle = await when(isStatus('No bottles yet'))
  const demo = await launch('demo')
  const running = await when(isStatus('1 running'))
  expect(running.tray?.icon).not.toBe(idle.tray?.icon)
  expect((await app.trayItems())?.[0]).toMatchObject({ label: '1 running', enabled: false })
  await app.closeWindow()
  await when(noWindow)

  await click(`${demo} —`, 'Freeze')
  const frozen = await when(({ notifications }) =>
    notifications.some(({ title }) => title === `${demo} is frozen`),
  )
  expect(noWindow(frozen)).toBe(true)
  const [snapshot] = await bottles.icebox.bottles.snapshots(demo)
  expect(snapshot).toMatchObject({ reason: 'user', status: 'ready' })

  await click(`${demo} —`, 'Stop')
  await when(isStatus('Nothing runs'))
  await click('Recent snapshots', demo)
  await when(isStatus('1 running'))

  const other = await launch('other')
  // What an operation holds is left out of Freeze all, so the resume has to be over.
  await when(({ tray }) => tray?.tooltip === 'Icebox: 2 running')
  // One that still starts counts as running, but can't be frozen yet.
  await waitForLabel(`${other} — working`)
  await click('Freeze all')
  const all = await when(
    ({ notifications }) => notifications.filter(({ title }) => title.endsWith(' is frozen')).length >= 3,
  )
  expect(all.notifications.map(({ title }) => title)).toContain(`${other} is frozen`)
  expect(await bottles.icebox.bottles.snapshots(other)).toHaveLength(1)
  expect(noWindow(all)).toBe(true)
  expect(await labels('Recent snapshots')).toEqual(['Nothing is frozen yet'])
})

test('a bottle that rests is frozen without a window; its notification resumes it', async () => {
  const slug = await launch('rest')
  await click(`${slug} —`, 'Stop')
  await click(`${slug} — stopped`, 'Freeze')
  const { notifications } = await when((records) => noticeOf(records, `${slug} is frozen`))
  const notice = notifications.find(({ title }) => title === `${slug} is frozen`)
  expect(notice?.actions).toEqual(['Resume', 'Show'])
  await app.pressNotification(notice?.id ?? -1, 0)
  await waitForLabel(`${slug} — working`)
  expect(noWindow(await app.records())).toBe(true)
})

test('a bottle that fails marks the icon until somebody looks; a click shows its logs', async () => {
  const calm = await when(isCalm)
  const slug = await launch('bad', 'sleep 1; echo gone wrong; exit 3')
  const bad = await when((records) => noticeOf(records, `${slug} failed`))
  const marked = await when(({ tray, badge }) => tray?.tooltip.includes('1 failed') && badge === '1')
  expect(marked.tray?.icon).not.toBe(calm.tray?.icon)
  await app.clickNotification(noticeOf(bad, `${slug} failed`)?.id ?? -1)
  const page = await app.page()
  await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor()
  await page.getByText('gone wrong').waitFor()
  const seen = await when((records) => isCalm(records) && records.badge === '')
  expect(seen.tray?.icon).toBe(calm.tray?.icon)
  // The window tells everything itself from now on.
  expect(seen.notifications.every(({ isClosed }) => isClosed)).toBe(true)
})

test('what the app menu says is done by the page, or by main', async () => {
  const page = await app.page()
  await app.clickMenu('File', 'New bottle…')
  await page.getByRole('dialog', { name: 'New bottle' }).waitFor()
  await page.keyboard.press('Escape')
  await app.clickMenu('Go', 'Engines')
  await page.getByRole('heading', { name: 'Engines', level: 1 }).waitFor()
  await app.clickMenu('Edit', 'Settings…')
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
  const before = (await app.records()).notifications.length
  await app.clickMenu('Bottle', 'Freeze all')
  const { windows, notifications } = await when(({ windows: [window] }) => window?.progress === -1)
  expect(windows).toHaveLength(1)
  // The person looks at the window, where it is told.
  expect(notifications).toHaveLength(before)
})

test('the shortcut follows its setting; one that another program has is told', async () => {
  await set('globalShortcut', 'mod+alt+b')
  await when(({ shortcuts }) => shortcuts.join() === 'CommandOrControl+Alt+B')
  await app.closeWindow()
  await when(noWindow)
  await app.pressShortcut('CommandOrControl+Alt+B')
  await when((records) => !noWindow(records))

  await app.evaluate(({ globalShortcut }) => {
    globalShortcut.register = () => false
  })
  await set('globalShortcut', 'mod+alt+i')
  const { dialogs, shortcuts } = await when(({ dialogs: [dialog] }) => dialog)
  expect(dialogs[0]?.detail).toContain('Ctrl+Alt+I belongs to another program')
  expect(shortcuts).toEqual([])
  await app.answerDialog({ button: 'OK' })
  // It is told once, not with every later change of a setting.
  await set('theme', 'dark')
  await set('theme', 'system')
  expect((await app.records()).dialogs).toHaveLength(1)
})

test.runIf(process.platform === 'linux')('the session starts the app when the setting says so', async () => {
  const config = await app.evaluate(() => process.env.XDG_CONFIG_HOME ?? '')
  const entry = () => readFile(join(config, 'autostart/icebox.desktop'), 'utf8').catch(() => '')
  expect(await entry()).toBe('')
  await set('launchAtLogin', true)
  await vi.waitFor(async () => expect(await entry()).toMatch(/^Exec=".*" "--at-login"$/m), PATIENT)
  await set('launchAtLogin', false)
  await vi.waitFor(async () => expect(await entry()).toBe(''), PATIENT)
})
