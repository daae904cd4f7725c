import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright'
import type { DialogAnswer, PowerEvent, Records, ShownItem } from './desktop/driver.ts'
import { electronBinary, startOnElectron } from './desktop/electron-app.ts'
import { type Ended, type RunningApp, startOnStandIn } from './desktop/stand-in-app.ts'

const ROOT = join(import.meta.dirname, '../..')
/** A page that does not come in this time is not coming. */
const PAGE_MS = 30_000
const END_MS = 30_000

export interface DesktopOptions {
  /** The state root (`ICEBOX_HOME`): the test's own. */
  readonly home: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What the app takes the machine for. Only on the stand-in; Electron itself always says the truth. */
  readonly platform?: 'darwin' | 'linux'
  /** Folder with the app's package.json. Default: this repository with its build. */
  readonly root?: string
  /** Packaged, as installed. Only on the stand-in. */
  readonly isPackaged?: boolean
  /** User data of an earlier run, which stays. Default: a folder of its own, removed afterwards. */
  readonly userData?: string
}

/** A running desktop app and everything a person can do to it. */
export interface DesktopApp {
  readonly isStandIn: boolean
  readonly pid: number
  /** The page of the open window, as soon as there is one. */
  page(): Promise<Page>
  /** What went wrong in pages so far. */
  readonly complaints: readonly string[]
  records(): Promise<Records>
  trayItems(): Promise<readonly ShownItem[] | null>
  menuItems(): Promise<readonly ShownItem[] | null>
  dockItems(): Promise<readonly ShownItem[] | null>
  /** Clicks an item by the labels on the way to it; throws when it is not there or greyed. */
  clickTray(...path: readonly string[]): Promise<void>
  clickMenu(...path: readonly string[]): Promise<void>
  clickDock(...path: readonly string[]): Promise<void>
  clickTrayIcon(): Promise<void>
  pressShortcut(accelerator: string): Promise<void>
  /** Answers the open dialog, or the next one. */
  answerDialog(answer: DialogAnswer): Promise<void>
  /** True: the app held up what was about to happen (`shutdown`). */
  emit(event: PowerEvent): Promise<boolean>
  clickNotification(id: number): Promise<void>
  closeNotification(id: number): Promise<void>
  pressNotification(id: number, action: number): Promise<void>
  openUrl(url: string): Promise<void>
  openFile(path: string): Promise<void>
  /** A click on the dock icon. */
  activate(): Promise<void>
  setDark(isDark: boolean): Promise<void>
  /** Starts the app a second time and waits until that process has ended. */
  secondInstance(args: readonly string[]): Promise<Ended>
  /** Drops files of the disk onto the page, or onto one element of it. */
  dropFiles(paths: readonly string[], target?: Locator): Promise<void>
  /** Drags an element out with the mouse, as far as the page lets it. */
  dragFrom(source: Locator): Promise<void>
  /** As the window's close button. */
  closeWindow(): Promise<void>
  /** Runs a function in the main process, with Electron's module. It sees nothing of the test around it. */
  evaluate<T, A = undefined>(
    run: (electron: typeof import('electron'), argument: A) => T | Promise<T>,
    argument?: A,
  ): Promise<T>
  /** Asks the app to quit and waits for its end; the exit code. */
  quit(): Promise<number | null>
  /** Resolves when the app has ended; null: by a signal. */
  readonly exitCode: Promise<number | null>
  output(): string
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends what still runs and removes what it left. To be called whatever happened. */
  close(): Promise<void>
}

/**
 * Starts the built desktop app: on Electron where its binary is, else on the stand-in.
 * @throws Error with ICEBOX_REQUIRE_ELECTRON=1 and no binary
 */
export async function launchDesktop(options: DesktopOptions): Promise<DesktopApp> {
  const dir = await mkdtemp(join(tmpdir(), 'desk-'))
  const userData = options.userData ?? join(dir, 'data')
  await Promise.all([
    mkdir(userData, { recursive: true }),
    mkdir(join(dir, 'user')),
    mkdir(options.home, { recursive: true }),
  ])
  const place = {
    root: options.root ?? ROOT,
    userData,
    args: options.args ?? [],
    env: environment(dir, options),
    cwd: dir,
  }
  const binary = await electronBinary()
  if (!binary && process.env.ICEBOX_REQUIRE_ELECTRON === '1') {
    throw new Error('Electron is required (ICEBOX_REQUIRE_ELECTRON) and its binary is not here')
  }
  const app = binary ? await startOnElectron(binary, place) : await startOnStandIn(place)
  return drive(app, dir)
}

function environment(dir: string, options: DesktopOptions): NodeJS.ProcessEnv {
  // A test runner's own variables would make the app believe that it is one.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_ENV$|NODE_OPTIONS$|ELECTRON_)/.test(name),
  )
  return {
    ...Object.fromEntries(inherited),
    // Whatever the app puts into the person's folders stays in the test's.
    HOME: join(dir, 'user'),
    XDG_CONFIG_HOME: join(dir, 'user/.config'),
    XDG_DATA_HOME: join(dir, 'user/.local/share'),
    ICEBOX_HOME: options.home,
    ...(options.platform ? { STANDIN_PLATFORM: options.platform } : {}),
    ...(options.isPackaged ? { STANDIN_PACKAGED: '1' } : {}),
    ...options.env,
  }
}

function drive(app: RunningApp, dir: string): DesktopApp {
  const complaints: string[] = []
  const known = new WeakSet<Page>()
  const watchPage = (page: Page): Page => {
    if (known.has(page)) return page
    known.add(page)
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    return page
  }
  const page = async (): Promise<Page> => {
    const deadline = Date.now() + PAGE_MS
    for (;;) {
      // A page whose window was just closed is still listed, and can no longer be asked.
      const [found] = await app.pages()
      const isThere = await found?.evaluate(() => true).catch(() => false)
      if (found && isThere) return watchPage(found)
      if (Date.now() > deadline) throw new Error(`no window came\n${app.output()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const ask = async (request: Parameters<RunningApp['ask']>[0]): Promise<void> =>
    void (await app.ask(request))
  const items = async (of: 'tray' | 'dock' | 'app') =>
    (await app.ask({ do: 'menu', of })) as readonly ShownItem[] | null
  const within = async (ms: number, what: string): Promise<number | null> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the app did not ${what}\n${app.output()}`)), ms)
    })
    return Promise.race([app.exited, late]).finally(() => clearTimeout(timer))
  }
  return {
    isStandIn: app.isStandIn,
    pid: app.pid,
    complaints,
    page,
    exitCode: app.exited,
    output: app.output,
    records: async () => (await app.ask({ do: 'records' })) as Records,
    trayItems: () => items('tray'),
    menuItems: () => items('app'),
    dockItems: () => items('dock'),
    clickTray: (...path) => ask({ do: 'click', of: 'tray', path }),
    clickMenu: (...path) => ask({ do: 'click', of: 'app', path }),
    clickDock: (...path) => ask({ do: 'click', of: 'dock', path }),
    clickTrayIcon: () => ask({ do: 'click-tray-icon' }),
    pressShortcut: (accelerator) => ask({ do: 'shortcut', accelerator }),
    answerDialog: (answer) => ask({ do: 'answer', answer }),
    emit: async (event) => (await app.ask({ do: 'power', event })) === true,
    clickNotification: (id) => ask({ do: 'notification', id, action: 'click' }),
    closeNotification: (id) => ask({ do: 'notification', id, action: 'close' }),
    pressNotification: (id, action) => ask({ do: 'notification', id, action }),
    openUrl: (value) => ask({ do: 'app-event', event: 'open-url', value }),
    openFile: (value) => ask({ do: 'app-event', event: 'open-file', value }),
    activate: () => ask({ do: 'activate' }),
    setDark: app.setDark,
    secondInstance: app.second,
    closeWindow: () => ask({ do: 'close-window' }),
    evaluate: async <T, A>(run: (electron: never, argument: A) => T | Promise<T>, argument?: A) =>
      (await app.ask({ do: 'evaluate', code: String(run), argument })) as T,
    async dropFiles(paths, target) {
      const shown = await page()
      await app.willDrop(paths)
      await drop(shown, paths, target)
    },
    dragFrom: async (source) => dragOut(await page(), source),
    async quit() {
      // The app may end before it has answered.
      await app.ask({ do: 'quit' }).catch(() => undefined)
      return within(END_MS, 'quit')
    },
    async kill(signal = 'SIGKILL') {
      app.kill(signal)
      await within(END_MS, 'end')
    },
    async close() {
      app.kill('SIGKILL')
      await within(END_MS, 'end')
      await app.release()
      await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

async function centre(locator: Locator): Promise<{ readonly x: number; readonly y: number }> {
  await locator.scrollIntoViewIfNeeded()
  const box = await locator.boundingBox()
  if (!box) throw new Error('the element is not to be seen')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** Real files, so that the page gets real `File` objects, as from the system's file manager. */
async function drop(page: Page, files: readonly string[], target?: Locator): Promise<void> {
  const { x, y } = await centre(target ?? page.locator('body'))
  const session = await page.context().newCDPSession(page)
  try {
    const data = { items: [], files: [...files], dragOperationsMask: 1 }
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x, y, data })
    }
  } finally {
    await session.detach()
  }
}

async function dragOut(page: Page, source: Locator): Promise<void> {
  const { x, y } = await centre(source)
  await page.mouse.move(x, y)
  await page.mouse.down()
  // The system takes a press for a drag after a few pixels.
  for (const step of [4, 12, 30, 60]) await page.mouse.move(x + step, y + step)
  await page.mouse.up()
}
