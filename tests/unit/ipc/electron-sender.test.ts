import type { WebFrameMain } from 'electron'
import { expect, test } from 'vitest'
import { isOwnFrame, isOwnPage } from '../../../src-main/ipc/electron-sender.ts'

const frame = (url: string, parent: object | null = null) => ({ url, parent: parent as WebFrameMain | null })

test('the top frame of the own page is heard', () => {
  expect(isOwnFrame(frame('icebox-app://bundle/index.html'))).toBe(true)
  expect(isOwnFrame(frame('icebox-app://bundle/index.html#x'))).toBe(true)
})

// Row 5.
test('no other frame is', () => {
  expect(isOwnFrame(null)).toBe(false)
  expect(isOwnFrame(frame('icebox-app://bundle/index.html', frame('icebox-app://bundle/')))).toBe(false)
  expect(isOwnFrame(frame('about:blank'))).toBe(false)
  expect(isOwnFrame(frame(''))).toBe(false)
})

test.each([
  'icebox-app://other/index.html',
  'icebox-app://bundle:80/index.html',
  'icebox-app://bundle.other/',
  'icebox-app://user@bundle/',
  'icebox-app://user:secret@bundle/',
  'icebox-app:bundle',
  'icebox://bundle/index.html',
  'https://bundle/index.html',
  'file:///bundle/index.html',
  'data:text/html,icebox-app://bundle',
  'blob:icebox-app://bundle/x',
  'javascript:0',
  'not an address',
  '',
])('%s is not the own page', (address) => {
  expect(isOwnPage(address)).toBe(false)
})
