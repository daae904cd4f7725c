import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'

type Win = { readonly icebox: IceboxBridge; mark?: number }

const PAGE = 'icebox-app://bundle/index.html'
let home: string
let app: DesktopApp
let page: Page
let server: Server
let origin: string
const hits: string[] = []

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-security-'))
  server = createServer((request, response) => {
    hits.push(request.url ?? '')
    if (request.url === '/away') response.writeHead(302, { Location: '/target' }).end()
    else response.setHeader('Access-Control-Allow-Origin', '*').end('<title>elsewhere</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  app = await launchDesktop({ home })
  page = await app.page()
  await page.locator('.window main').first().waitFor()
})
afterAll(async () => {
  await app?.close()
  server.close()
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})
beforeEach(() => {
  hits.length = 0
  return page.evaluate(() => {
    ;(window as unknown as Win).mark = 1
  })
})

/** The document is the very one it was, and nothing was opened beside it. */
async function nothingHappened(): Promise<void> {
  expect(await page.evaluate(() => (window as unknown as Win).mark)).toBe(1)
  const { windows, opened } = await app.records()
  expect(windows.map(({ url }) => url)).toEqual([PAGE])
  expect(opened).toEqual([])
  expect(hits).toEqual([])
}

/** Calls as the page's own script could, whatever its types say. */
function call(name: unknown, args?: unknown): Promise<unknown> {
  return page.evaluate(
    ([name, args]) => (window as unknown as Win).icebox.call(name as never, args as never),
    [name, args] as const,
  )
}

describe('the page has nothing but the contract (rows 1 to 3)', () => {
  test('web preferences are as written', async () => {
    const { windows } = await app.records()
    expect(windows[0]?.preferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
    })
  })

  test('nothing of Node or Electron is in the page, and what is there can not be changed', async () => {
    const found = await page.evaluate(() => {
      const names = ['require', 'process', 'module', 'Buffer', 'global', 'ipcRenderer', 'electron']
      const { icebox } = window as unknown as Win
      const before = icebox.call
      try {
        Object.assign(icebox, { call: null })
      } catch {
        // A frozen object may say so.
      }
      return {
        seen: names.filter((name) => name in window),
        keys: Object.keys(icebox).sort(),
        isSame: icebox.call === before,
      }
    })
    expect(found).toEqual({ seen: [], keys: ['call', 'desktop', 'on', 'onConnection', 'open'], isSame: true })
  })

  test('main listens to our channels only', async () => {
    const names = await app.evaluate(({ ipcMain }) => ipcMain.eventNames().map(String))
    expect(names.filter((name) => !name.startsWith('icebox:') && !/^-|newListener/.test(name))).toEqual([])
    expect(names).toContain('icebox:open')
  })
})

describe('calls (rows 5 and 6)', () => {
  test.each([
    ['engine:exec', {}, 'denied'],
    ['__proto__', {}, 'denied'],
    ['constructor', {}, 'denied'],
    [null, {}, 'usage'],
    [{ name: 'state:snapshot' }, {}, 'usage'],
    ['bottle:freeze', { slug: '../../etc' }, 'invalid-slug'],
    ['bottle:freeze', { slug: { $gt: '' } }, 'invalid-slug'],
    ['bottle:freeze', null, 'usage'],
    ['bottle:start', { agent: 'x'.repeat(2_000_000) }, 'usage'],
    ['settings:set', { key: 'constructor', value: 1 }, 'usage'],
    ['artifact:import', { path: '/etc/passwd' }, 'usage'],
  ])('%j with wrong arguments is refused as a value', async (name, args, code) => {
    expect(await call(name, args)).toMatchObject({ ok: false, error: { code } })
  })

  test('a page that main did not let in is refused, though it has our address and our preload', async () => {
    const answer = await app.evaluate(async ({ BrowserWindow }, url) => {
      const [own] = BrowserWindow.getAllWindows()
      // Electron's types keep this one to themselves.
      const contents = own?.webContents as unknown as { getLastWebPreferences(): { preload?: string } }
      const { preload } = contents.getLastWebPreferences()
      const foreign = new BrowserWindow({ show: false, webPreferences: { ...(preload ? { preload } : {}) } })
      try {
        await foreign.loadURL(url)
        return await foreign.webContents.executeJavaScript(`icebox.call('state:snapshot', {})`)
      } finally {
        foreign.destroy()
      }
    }, PAGE)
    expect(answer).toMatchObject({ ok: false, error: { code: 'denied' } })
    await expect.poll(() => app.output()).toContain('refused icebox:call')
  })

  test('a frame within the page has no bridge', async () => {
    const seen = await page.evaluate(() => {
      const frame = document.body.appendChild(document.createElement('iframe'))
      const isThere = frame.contentWindow !== null && 'icebox' in frame.contentWindow
      frame.remove()
      return isThere
    })
    expect(seen).toBe(false)
  })

  test('a channel that nobody answers is a value too, never an exception', async () => {
    await app.evaluate(({ ipcMain }) => ipcMain.removeHandler('icebox:save-export'))
    const answer = await page.evaluate(() => (window as unknown as Win).icebox.desktop?.saveExport('x'))
    expect(answer).toMatchObject({ ok: false, error: { code: 'busy', retryable: true } })
  })

  test('streams that are not in the contract end with the reason', async () => {
    const ends = await page.evaluate(() =>
      Promise.all(
        (
          [
            ['shell', {}],
            ['logs', { slug: '../x' }],
            ['terminal', { slug: 'a', cols: -1, rows: 1 }],
          ] as const
        ).map(
          ([name, args]) =>
            new Promise((resolve) => {
              ;(window as unknown as Win).icebox.open(name as never, args as never, {
                data: () => {},
                end: (error) => resolve(error?.code),
              })
            }),
        ),
      ),
    )
    expect(ends).toEqual(['denied', 'invalid-slug', 'usage'])
  })
})

describe('navigation (row 7)', () => {
  const away = (): readonly string[] => [
    `${origin}/`,
    'https://github.com/',
    'file:///etc/passwd',
    'data:text/html,gone',
    'javascript:document.body.remove()',
    'mailto:a@b.test',
    'icebox-app://other/index.html',
    '/assets/none.html',
  ]
  test('a script, a link and a form lead nowhere', async () => {
    for (const url of away()) {
      await page.evaluate(async (to) => {
        const settle = () => new Promise((resolve) => setTimeout(resolve, 50))
        try {
          location.href = to
        } catch {
          // Some addresses are refused at once.
        }
        await settle()
        const link = document.body.appendChild(document.createElement('a'))
        link.href = to
        link.click()
        link.remove()
        await settle()
        const form = document.body.appendChild(document.createElement('form'))
        form.action = to
        form.submit()
        form.remove()
        await settle()
      }, url)
      await nothingHappened()
    }
  })

  test('a redirect is not followed', async () => {
    const failed = await app.evaluate(async ({ BrowserWindow }, url) => {
      const window = new BrowserWindow({ show: false })
      try {
        await window.loadURL(url)
        return null
      } catch (error) {
        return String(error)
      } finally {
        window.destroy()
      }
    }, `${origin}/away`)
    expect(failed).toContain('ERR_')
    expect(hits).toEqual(['/away'])
    hits.length = 0
    await nothingHappened()
  })
})

describe('windows and links (rows 8 to 10)', () => {
  afterEach(async () => {
    const { windows } = await app.records()
    expect(windows).toHaveLength(1)
  })

  test('window.open opens no window, and gives nothing but an allowed address to the browser', async () => {
    const results = await page.evaluate(
      (urls) => urls.map((url) => window.open(url) === null),
      [
        `${origin}/`,
        'file:///etc/passwd',
        'javascript:alert(1)',
        'data:text/html,x',
        'about:blank',
        PAGE,
        'https://evil.test/',
      ],
    )
    expect(results).not.toContain(false)
    await nothingHappened()
  })

  test('a link to another window goes to the browser when its site is ours to link to', async () => {
    await page.evaluate(() => {
      for (const url of ['https://github.com/icebox', 'https://evil.test/', 'file:///etc/passwd']) {
        const link = document.body.appendChild(document.createElement('a'))
        link.href = url
        link.target = '_blank'
        link.click()
        link.remove()
      }
    })
    await expect.poll(async () => (await app.records()).opened).toEqual(['https://github.com/icebox'])
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)
    expect((await app.records()).opened).toEqual(['https://github.com/icebox'])
  })

  test('a webview is an element like any unknown one', async () => {
    const before = await app.evaluate(({ webContents }) => webContents.getAllWebContents().length)
    await page.evaluate((url) => {
      const view = document.createElement('webview')
      view.setAttribute('src', url)
      document.body.append(view)
    }, `${origin}/`)
    expect(await page.evaluate(() => 'loadURL' in (document.querySelector('webview') ?? {}))).toBe(false)
    await page.evaluate(() => document.querySelector('webview')?.remove())
    expect(await app.evaluate(({ webContents }) => webContents.getAllWebContents().length)).toBe(before)
    expect(hits).toEqual([])
  })

  test('no file is shown or opened by the page: there is no way to ask for it', async () => {
    expect((await app.records()).revealed).toEqual([])
  })
})

test('permissions are denied, but for plain text into the clipboard (row 12)', async () => {
  const answers = await page.evaluate(async () => {
    const outcome = (promise: Promise<unknown>) =>
      promise.then(
        () => 'granted',
        () => 'denied',
      )
    return {
      notifications: await Notification.requestPermission(),
      location: await outcome(
        new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject)),
      ),
      microphone: await outcome(navigator.mediaDevices.getUserMedia({ audio: true })),
      read: await outcome(navigator.clipboard.readText()),
    }
  })
  expect(answers).toEqual({
    notifications: 'denied',
    location: 'denied',
    microphone: 'denied',
    read: 'denied',
  })
})

test('the scheme serves the built page only (row 13)', async () => {
  const statuses = await page.evaluate(() =>
    Promise.all(
      [
        '/index.html',
        '/../../package.json',
        '/%2e%2e/%2e%2e/package.json',
        '/..%2f..%2fpackage.json',
        '/..%5c..%5cpackage.json',
        '//etc/passwd',
        '/none.js',
      ].map((path) =>
        fetch(path).then(
          ({ status }) => status,
          () => 'refused',
        ),
      ),
    ),
  )
  const [own, ...others] = statuses
  expect(own).toBe(200)
  for (const status of others) expect([404, 'refused']).toContain(status)
})

test('the policy stops inline scripts, eval, foreign requests, frames and files (row 4)', async () => {
  const outcome = await page.evaluate(async (elsewhere) => {
    const violated = new Set<string>()
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
      violated.add(effectiveDirective),
    )
    const script = document.createElement('script')
    script.textContent = 'window.ran = true'
    document.body.append(script)
    document.body.insertAdjacentHTML('beforeend', '<img src="none" onerror="window.ran = true">')
    const frame = document.body.appendChild(document.createElement('iframe'))
    frame.src = `${elsewhere}/framed`
    const image = document.body.appendChild(document.createElement('img'))
    image.src = `${elsewhere}/image.png`
    const refused = await Promise.all(
      [`${elsewhere}/`, 'file:///etc/passwd'].map((url) =>
        fetch(url).then(
          () => 'fetched',
          () => 'refused',
        ),
      ),
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const each of [script, frame, image, ...document.querySelectorAll('img[src=none]')]) each.remove()
    return { ran: 'ran' in window, refused, violated: [...violated].sort() }
  }, origin)
  expect(outcome.ran).toBe(false)
  expect(outcome.refused).toEqual(['refused', 'refused'])
  expect(outcome.violated).toEqual(
    expect.arrayContaining(['connect-src', 'frame-src', 'img-src', 'script-src-attr', 'script-src-elem']),
  )
  await nothingHappenedBut(['https://github.com/icebox'])
})

test('deep links that ask for more than a look do nothing (row 20)', async () => {
  for (const link of [
    'icebox://destroy/web',
    'icebox://freeze/web',
    'icebox://set/theme',
    'icebox://quit',
    'icebox://bottle/..%2f',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])
    await app.openUrl(link)
  const { windows, dialogs, errors } = await app.records()
  expect([windows.length, dialogs, errors]).toEqual([1, [], []])
  expect(await call('state:snapshot', {})).toMatchObject({ ok: true, value: { bottles: [], tasks: [] } })
  expect(await page.evaluate(() => (window as unknown as Win).mark)).toBe(1)
})

async function nothingHappenedBut(links: readonly string[]): Promise<void> {
  const { windows, opened } = await app.records()
  expect([windows.map(({ url }) => url), opened, hits]).toEqual([[PAGE], links, []])
}
