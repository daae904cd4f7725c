import { afterEach, expect, test, vi } from 'vitest'
import { followFrame, isInset } from '../../../../src-renderer/frame/window-frame.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { emptyModel } from '../../../../src-renderer/state/model.ts'

afterEach(() => vi.unstubAllGlobals())

/** The page's own engine, with the window's buttons that it tells of. */
function stubWindow(platform: string) {
  const overlay = Object.assign(new EventTarget(), { visible: false })
  const fullScreen = Object.assign(new EventTarget(), { matches: false })
  vi.stubGlobal('navigator', { platform, windowControlsOverlay: overlay })
  vi.stubGlobal('window', { matchMedia: () => fullScreen })
  return {
    show(isVisible: boolean) {
      overlay.visible = isVisible
      overlay.dispatchEvent(new Event('geometrychange'))
    },
    fill(isFull: boolean) {
      fullScreen.matches = isFull
      fullScreen.dispatchEvent(new Event('change'))
    },
  }
}

const follow = (isDesktop: boolean) => {
  const root = { dataset: {} } as HTMLElement
  const model = createStore(emptyModel)
  followFrame(root, isDesktop, model)
  return { root, model }
}

test.each([
  [true, 'darwin', false, true],
  [true, 'linux', true, false],
  [true, '', true, true],
  [true, '', false, false],
  [false, 'darwin', true, false],
])('desktop %s on %s, which looks like a Mac: %s', (isDesktop, platform, isMac, expected) => {
  expect(isInset({ isDesktop, platform, isMac })).toBe(expected)
})

test('the core says what the platform is as soon as it is heard', () => {
  stubWindow('Linux x86_64')
  const { root, model } = follow(true)
  expect(root.dataset).toEqual({})
  model.update((now) => ({ ...now, platform: 'darwin' }))
  expect(root.dataset).toEqual({ frame: 'inset' })
})

test('in full screen the buttons are gone, and with them the room for them', () => {
  const page = stubWindow('MacIntel')
  const { root, model } = follow(true)
  model.update((now) => ({ ...now, platform: 'darwin' }))
  expect(root.dataset).toEqual({ frame: 'inset' })
  page.show(true)
  expect(root.dataset).toEqual({ frame: 'inset' })
  page.show(false)
  expect(root.dataset).toEqual({ frame: 'inset', lights: 'away' })
  page.show(true)
  expect(root.dataset).toEqual({ frame: 'inset' })
  page.fill(true)
  expect(root.dataset).toEqual({ frame: 'inset', lights: 'away' })
})

test('a browser on a Mac has a frame of its own', () => {
  const page = stubWindow('MacIntel')
  const { root, model } = follow(false)
  model.update((now) => ({ ...now, platform: 'darwin' }))
  page.show(true)
  expect(root.dataset).toEqual({})
})
