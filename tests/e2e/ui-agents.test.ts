import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { failure } from '../../src-preload/contract/errors.ts'
import { problemsInBothSchemes } from '../support/accessibility.ts'
import { health } from '../support/canned/agents.ts'
import { bottle, type Scene } from '../support/canned/data.ts'
import { type CannedServer, startCannedServer } from '../support/canned-server.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

let browser: Browser
let root: string
let server: CannedServer | undefined
let opened: WindowPage | undefined

beforeAll(async () => {
  root = await builtRenderer()
  browser = await launchChromium()
})
afterAll(() => browser.close())
afterEach(async () => {
  const complaints = opened?.complaints ?? []
  await opened?.close()
  await server?.close()
  opened = undefined
  server = undefined
  expect(complaints).toEqual([])
})

async function open(
  scene: Scene,
  options: Parameters<typeof openWindow>[2] = {},
): Promise<{ page: Page; server: CannedServer }> {
  server = await startCannedServer({ root, scene })
  opened = await openWindow(browser, server.url, options)
  return { page: opened.page, server }
}

const row = (page: Page, slug: string) => page.locator(`.row[data-slug="${slug}"]`)
const slugs = (page: Page) =>
  page.locator('.row').evaluateAll((rows) => rows.map((item) => (item as HTMLElement).dataset.slug))
const section = (page: Page, name: string) => page.locator('.sidebar').getByRole('button', { name }).click()
const argsOf = (name: string) =>
  server?.calls.filter((call) => call.call === name).map((call) => call.args) ?? []
const happened = (page: Page) => page.locator('.stream > li')

async function healthOf(page: Page, slug: string): Promise<void> {
  await row(page, slug).click()
  await page.getByRole('tab', { name: 'Health' }).click()
  await page.locator('.health h3').first().waitFor()
}

test('accessibility of all that tells of agents, light and dark', async () => {
  const { page } = await open('agents')
  for (const slug of ['asks', 'hangs', 'gave-up', 'plain']) {
    await healthOf(page, slug)
    if (slug === 'asks') await page.locator('.hook-record summary').first().click()
    if (slug === 'plain') await page.getByText('How a definition asks for it').click()
    expect(await problemsInBothSchemes(page), slug).toEqual([])
  }
  for (const name of ['Activity', 'Agents']) {
    await section(page, name)
    await page.locator('.page .card').first().waitFor()
    expect(await problemsInBothSchemes(page), name).toEqual([])
  }
})

describe('the list', () => {
  test('tells state, reason, model and context of each agent', async () => {
    const { page } = await open('agents')
    await page.locator('.row').first().waitFor()
    const text = async (slug: string) => (await row(page, slug).innerText()).replaceAll(/\s+/g, ' ')
    expect(await text('asks')).toMatch(
      /Waiting asks Run the migration on staging\? \(y\/n\) Claude Opus 4\.5 71 %/,
    )
    expect(await text('at-its-limit')).toContain('Limited')
    expect(await text('out')).toMatch(/Signed out .* unknown/)
    expect(await text('hangs')).toMatch(/Stuck .*92 %/)
    expect(await text('gave-up')).toContain('not restarted any more: it crashed 3 times')
    expect(await row(page, 'out').locator('.context-bar[data-unknown]').count()).toBe(1)
    expect(await row(page, 'plain').locator('.context-bar').count()).toBe(0)
  })

  test('counts whoever needs a person, and is filtered and sorted by agents', async () => {
    const { page } = await open('agents')
    const tab = page.locator('.tabs label', { hasText: 'Waiting for you' })
    expect(await tab.locator('.count').innerText()).toBe('4')
    await tab.click()
    await expect.poll(() => slugs(page)).toEqual(['asks', 'hangs', 'out', 'at-its-limit'])
    await page.getByLabel('Agent', { exact: true }).selectOption({ label: 'Stuck' })
    await expect.poll(() => slugs(page)).toEqual(['hangs'])
    await page.locator('.tabs label', { hasText: 'All' }).click()
    await page.getByLabel('Agent', { exact: true }).selectOption({ label: 'All agents' })
    await page.getByRole('button', { name: 'Context' }).click()
    await expect.poll(async () => (await slugs(page)).slice(0, 3)).toEqual(['hangs', 'asks', 'at-its-limit'])
  })

  test('shows at once what an agent begins to ask', async () => {
    const { page, server } = await open('agents')
    const asks = bottle({
      slug: 'works',
      agentState: 'waiting',
      health: health({ reason: 'Which one? (1/2)' }),
    })
    server.push([{ entity: 'bottle', key: 'works', value: asks }])
    await row(page, 'works').getByText('Which one? (1/2)').waitFor()
    await row(page, 'works').getByText('Waiting').waitFor()
  })
})

describe('the Health tab', () => {
  test('tells yes, no and unknown apart by shape and word', async () => {
    const { page } = await open('agents')
    await healthOf(page, 'hangs')
    const answers = await page.locator('.signals > div').allInnerTexts()
    expect(answers.map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
      'Alive yes',
      'Responsive unknown',
      'Waiting for you no',
      'Limited no',
      'Signed in yes',
      'Stuck yes',
    ])
    const shapes = await page
      .locator('.signal')
      .evaluateAll((all) =>
        all.map((one) => `${one.getAttribute('data-answer')} ${one.querySelector('svg')?.innerHTML}`),
      )
    expect(new Set(shapes).size).toBe(3)
    await page.getByText('It is compacted at 80 %').waitFor()
    await page.getByText('Five hours: 82 % used').waitFor()
  })

  test('tells where the context goes, as far as it was watched', async () => {
    const { page, server } = await open('agents')
    await healthOf(page, 'works')
    expect(await page.locator('.health-trend').count()).toBe(0)
    const later = health({ contextPercent: 30, seenAt: new Date(Date.now() + 60_000).toISOString() })
    server.push([{ entity: 'bottle', key: 'works', value: bottle({ slug: 'works', health: later }) }])
    await page.locator('.health-trend', { hasText: /12 points up in \d+ min/ }).waitFor()
  })

  test('sends an answer, keeps it when that fails, and says so of one that does not wait', async () => {
    const { page, server } = await open('agents')
    await healthOf(page, 'asks')
    const box = page.getByRole('textbox', { name: 'Answer the agent' })
    await box.fill('y')
    server.fail('agent:send', failure('unsupported', 'Its terminal is gone.'))
    await page.keyboard.press('Enter')
    await page.getByText('Its terminal is gone.').waitFor()
    // A look elsewhere costs nothing of what was typed.
    await healthOf(page, 'works')
    await healthOf(page, 'asks')
    expect(await box.inputValue()).toBe('y')
    server.fail('agent:send', null)
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await expect.poll(() => box.inputValue()).toBe('')
    await healthOf(page, 'works')
    await box.fill('and then stop')
    await page.getByText('It does not wait just now').waitFor()
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => argsOf('agent:send').length).toBe(3)
    expect(argsOf('agent:send')).toEqual([
      { slug: 'asks', text: 'y', now: true },
      { slug: 'asks', text: 'y', now: true },
      { slug: 'works', text: 'and then stop\n', now: true },
    ])
  })

  test('types nothing by chance: without a question in sight it asks before it types into what works', async () => {
    const { page, server } = await open('agents')
    const idle = bottle({ slug: 'works', agentState: 'waiting', health: health({ reason: null }) })
    server.push([{ entity: 'bottle', key: 'works', value: idle }])
    await row(page, 'works').getByText('Waiting').waitFor()
    await healthOf(page, 'works')
    server.fail('agent:send', failure('busy', 'works works.'))
    await page.getByRole('textbox', { name: 'Answer the agent' }).fill('next')
    await page.keyboard.press('Enter')
    await page.getByText('It does something else just now').waitFor()
    server.fail('agent:send', null)
    await page.getByRole('button', { name: 'Type it all the same' }).click()
    await page.getByText('It does something else just now').waitFor({ state: 'detached' })
    expect(argsOf('agent:send')).toEqual([
      { slug: 'works', text: 'next', now: false },
      { slug: 'works', text: 'next', now: true },
    ])
  })

  test('lists hooks, tries them, and shows what they said', async () => {
    const { page, server } = await open('agents')
    await healthOf(page, 'asks')
    const point = page.locator('.hook-point', { hasText: 'pre_freeze' })
    await point.getByText('at most 30 s · required').waitFor()
    await point.getByRole('button', { name: 'Try pre_freeze' }).click()
    await point.getByText('the database is being written to').waitFor()
    await point.getByText('pre_freeze: tried, 1 of 1 failed').waitFor({ state: 'attached' })
    expect(argsOf('agent:try-hook')).toEqual([{ slug: 'asks', point: 'pre_freeze' }])
    const slow = page.locator('.hook-record', { hasText: 'ran out of time' })
    await slow.locator('summary').click()
    await slow.getByText('It said nothing.').or(slow.locator('pre')).waitFor()
    server.fail('agent:try-hook', failure('busy', 'It runs just now.'))
    await point.getByRole('button', { name: 'Try pre_freeze' }).click()
    await page.locator('.toast', { hasText: 'It runs just now.' }).waitFor()
  })

  test('says that it was given up, and starts it again on request', async () => {
    const { page } = await open('agents')
    await healthOf(page, 'gave-up')
    await page.locator('.health-gave-up', { hasText: 'it crashed 3 times within an hour' }).waitFor()
    await page.getByRole('button', { name: 'Restart now' }).click()
    await expect.poll(() => argsOf('bottle:restart')).toEqual([{ slug: 'gave-up' }])
  })

  test('says plainly that nobody looks after an agent, and how to have it', async () => {
    const { page } = await open('agents')
    await healthOf(page, 'plain')
    await page.getByRole('heading', { name: 'Not looked after' }).waitFor()
    await page.getByText('How a definition asks for it').click()
    await page.getByText('policy: on-failure').waitFor()
    await page.getByText('Its definition has no hooks.').waitFor()
    expect(await page.locator('.signals, .send-box').count()).toBe(0)
  })

  test('shows why nothing can be told, and tries again', async () => {
    const { page, server } = await open('agents')
    server.fail('agent:status', failure('not-found', 'There is no such bottle.'))
    await row(page, 'asks').click()
    await page.getByRole('tab', { name: 'Health' }).click()
    await page.getByText('There is no such bottle.').waitFor()
    server.fail('agent:status', null)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('.signals').waitFor()
    expect(await page.getByText('There is no such bottle.').count()).toBe(0)
  })

  test('fits a narrow window, and is reached by keys', async () => {
    const { page } = await open('agents', { width: 900, height: 600 })
    await page.getByRole('tab', { name: 'Overview' }).focus()
    await page.keyboard.press('End')
    await page.locator('.signals').waitFor()
    const wide = await page.evaluate(() =>
      ['html', '.detail', '.tab-list', '.health'].filter((selector) => {
        const element = document.querySelector(selector)
        return element === null || element.scrollWidth > element.clientWidth || element.scrollLeft > 0
      }),
    )
    expect(wide).toEqual([])
  })
})

describe('Activity', () => {
  test('tells what happened, by kind and by bottle, and leads there', async () => {
    const { page } = await open('three')
    await section(page, 'Activity')
    await expect.poll(() => happened(page).count()).toBe(10)
    await page.locator('.segmented label', { hasText: 'Hooks' }).click()
    await expect.poll(() => happened(page).count()).toBe(2)
    await page.getByLabel('Bottle', { exact: true }).selectOption('billing-spike')
    await page.getByRole('heading', { name: 'Nothing of that kind' }).waitFor()
    await page.getByRole('button', { name: 'Clear filter' }).click()
    // Of a bottle that is gone there is nothing to show.
    await expect.poll(() => happened(page).last().getByRole('button').count()).toBe(0)
    await happened(page).first().getByRole('button', { name: 'auth-rewrite' }).click()
    await page.getByRole('tab', { name: 'Health', selected: true }).waitFor()
    await page.locator('.detail').getByRole('heading', { name: 'auth-rewrite' }).waitFor()
  })

  test('is read again when something changes', async () => {
    const { page, server } = await open('three')
    await section(page, 'Activity')
    await happened(page).first().waitFor()
    const before = argsOf('activity:list').length
    server.push([{ entity: 'bottle', key: 'fresh', value: bottle({ slug: 'fresh' }) }])
    await expect.poll(() => argsOf('activity:list').length).toBeGreaterThan(before)
  })

  test('says so while nothing has happened, and when it can not be read', async () => {
    const { page, server } = await open('none')
    await section(page, 'Activity')
    await page.getByRole('heading', { name: 'Nothing has been done yet' }).waitFor()
    server.fail('activity:list', failure('permission', 'The state folder can not be read.'))
    await section(page, 'Bottles')
    await section(page, 'Activity')
    await page.getByText('The state folder can not be read.').waitFor()
  })
})

test('definitions tell runtime, hooks, supervision, and all that is wrong with them', async () => {
  const { page } = await open('three')
  await section(page, 'Agents')
  const first = page.locator('.card', { hasText: 'implementer' })
  await first.getByText('looked after').waitFor()
  await first.getByText('terminal, in the background · 3 hooks').waitFor()
  const broken = page.locator('.card', { hasText: 'broken' })
  await broken.getByText('2 things are wrong').waitFor()
  await broken.getByText(/line 9:/).waitFor()
})
