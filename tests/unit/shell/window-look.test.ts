import { expect, test } from 'vitest'
import { closeAct, pagePreferences, windowLook } from '../../../src-main/shell/window-look.ts'

test('row 1 and 2: the page is sandboxed, isolated, and has nothing of Node', () => {
  expect(pagePreferences('/x/index.cjs', true)).toEqual({
    preload: '/x/index.cjs',
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
    devTools: false,
  })
  expect(pagePreferences('/x/index.cjs', false).devTools).toBe(true)
})

test('a Mac has the inset title bar and its material, others their own frame and a ground colour', () => {
  expect(windowLook('darwin', true)).toMatchObject({
    titleBarStyle: 'hiddenInset',
    vibrancy: 'sidebar',
    trafficLightPosition: { x: 14, y: 20 },
  })
  expect(windowLook('linux', true).titleBarStyle).toBeUndefined()
  expect(windowLook('linux', true).backgroundColor).not.toBe(windowLook('linux', false).backgroundColor)
})

test.each([
  ['darwin', true, false, 'hide'],
  ['darwin', false, false, 'hide'],
  ['linux', true, false, 'close'],
  ['linux', false, false, 'quit'],
  ['darwin', true, true, 'close'],
  ['linux', false, true, 'close'],
] as const)('closing on %s, to the tray %s, while ending %s', (platform, toTray, isEnding, act) => {
  expect(closeAct(platform, toTray, isEnding)).toBe(act)
})
