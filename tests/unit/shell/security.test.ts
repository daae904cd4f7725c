import { EventEmitter } from 'node:events'
import type { App, Session, Shell, WebContents } from 'electron'
import { expect, test } from 'vitest'
import { lockDown } from '../../../src-main/shell/security.ts'

type RequestHandler = NonNullable<Parameters<Session['setPermissionRequestHandler']>[0]>
type CheckHandler = NonNullable<Parameters<Session['setPermissionCheckHandler']>[0]>
type OpenHandler = Parameters<WebContents['setWindowOpenHandler']>[0]

const PAGE = 'icebox-app://bundle/index.html'

function scene(openExternal: (url: string) => Promise<void> = async () => {}) {
  const app = new EventEmitter()
  const opened: string[] = []
  const warned: unknown[] = []
  const given: {
    request?: RequestHandler
    check?: CheckHandler
    device?: () => boolean
    open?: OpenHandler
  } = {}
  let handlersSet = 0
  const session = Object.assign(new EventEmitter(), {
    setPermissionRequestHandler: (handler: RequestHandler) => {
      handlersSet += 1
      given.request = handler
    },
    setPermissionCheckHandler: (handler: CheckHandler) => {
      given.check = handler
    },
    setDevicePermissionHandler: (handler: () => boolean) => {
      given.device = handler
    },
  })
  const makeContents = () =>
    Object.assign(new EventEmitter(), {
      session,
      getURL: () => PAGE,
      setWindowOpenHandler: (handler: OpenHandler) => {
        given.open = handler
      },
    })
  const contents = makeContents()
  const shell = {
    openExternal(url: string) {
      opened.push(url)
      return openExternal(url)
    },
  } as unknown as Shell
  lockDown(app as unknown as App, shell, (error) => void warned.push(error))
  app.emit('web-contents-created', {}, contents)
  const isDenied = (from: EventEmitter, name: string, details: object = {}): boolean => {
    let wasPrevented = false
    from.emit(name, {
      ...details,
      preventDefault: () => {
        wasPrevented = true
      },
    })
    return wasPrevented
  }
  return {
    app,
    contents,
    session,
    makeContents,
    given,
    opened,
    warned,
    isDenied,
    handlersSet: () => handlersSet,
  }
}

const ELSEWHERE = [
  'https://github.com/',
  'http://127.0.0.1:8080/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,x',
  'about:blank',
  'icebox-app://bundle/other.html',
  'icebox-app://bundle/index.html?x',
  'icebox-app://other/index.html',
]

// Row 7.
test.each(ELSEWHERE)('the page does not go to %s, nor does a frame in it', (url) => {
  const { contents, isDenied } = scene()
  expect(isDenied(contents, 'will-navigate', { url })).toBe(true)
  expect(isDenied(contents, 'will-frame-navigate', { url, isMainFrame: true })).toBe(true)
  expect(isDenied(contents, 'will-frame-navigate', { url, isMainFrame: false })).toBe(true)
})

test('the page may be loaded anew; a redirect and a frame are denied even to its own address', () => {
  const { contents, isDenied } = scene()
  expect(isDenied(contents, 'will-navigate', { url: PAGE })).toBe(false)
  expect(isDenied(contents, 'will-frame-navigate', { url: PAGE, isMainFrame: true })).toBe(false)
  expect(isDenied(contents, 'will-frame-navigate', { url: PAGE, isMainFrame: false })).toBe(true)
  expect(isDenied(contents, 'will-redirect', { url: PAGE })).toBe(true)
})

// Row 8 and 10.
test('no window opens; a link that is allowed goes to the browser, any other nowhere', () => {
  const { given, opened } = scene()
  for (const url of [...ELSEWHERE, 'https://evil.test/'])
    expect(given.open?.({ url } as never)).toEqual({ action: 'deny' })
  expect(opened).toEqual(['https://github.com/'])
})

test('a browser that does not open is told, and nothing else happens', async () => {
  const { given, warned } = scene(() => Promise.reject(new Error('no browser')))
  given.open?.({ url: 'https://github.com/' } as never)
  await expect.poll(() => warned).toHaveLength(1)
})

// Row 9.
test('no webview attaches', () => {
  const { contents, isDenied } = scene()
  expect(isDenied(contents, 'will-attach-webview')).toBe(true)
})

// Row 12.
test('every permission but writing plain text to the clipboard is denied, asked or checked', () => {
  const { given } = scene()
  const ask = (permission: string, requestingUrl: string): boolean | undefined => {
    let granted: boolean | undefined
    given.request?.(
      null as never,
      permission as never,
      (answer) => {
        granted = answer
      },
      { requestingUrl } as never,
    )
    return granted
  }
  const check = (permission: string, origin: string) =>
    given.check?.(null, permission as never, origin, {} as never)
  for (const permission of [
    'media',
    'geolocation',
    'notifications',
    'midi',
    'fullscreen',
    'openExternal',
    'clipboard-read',
    'hid',
    'serial',
    'usb',
    'fileSystem',
    'display-capture',
    'unknown',
    'constructor',
    '',
  ]) {
    expect([permission, ask(permission, PAGE), check(permission, 'icebox-app://bundle/')]).toEqual([
      permission,
      false,
      false,
    ])
  }
  expect(ask('clipboard-sanitized-write', PAGE)).toBe(true)
  expect(check('clipboard-sanitized-write', 'icebox-app://bundle')).toBe(true)
  expect(ask('clipboard-sanitized-write', 'https://evil.test/')).toBe(false)
  expect(check('clipboard-sanitized-write', 'https://evil.test')).toBe(false)
  expect(check('clipboard-sanitized-write', '')).toBe(false)
  expect(given.device?.()).toBe(false)
})

test('a page saves nothing by itself', () => {
  const { session, isDenied } = scene()
  expect(isDenied(session, 'will-download')).toBe(true)
})

test('every further page is locked down too, a session once', () => {
  const { app, makeContents, isDenied, handlersSet, session } = scene()
  const second = makeContents()
  app.emit('web-contents-created', {}, second)
  expect(isDenied(second, 'will-navigate', { url: 'https://evil.test/' })).toBe(true)
  expect([handlersSet(), session.listenerCount('will-download')]).toEqual([1, 1])
})
