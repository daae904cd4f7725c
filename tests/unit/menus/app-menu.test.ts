import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type AppMenuFacts, appMenu } from '../../../src-main/menus/app-menu.ts'
import {
  accelerator,
  COMMANDS,
  type CommandEntry,
  SECTION_COMMANDS,
  SECTION_NAMES,
} from '../../../src-main/menus/command-table.ts'
import type { MenuItem } from '../../../src-main/menus/menu-types.ts'
import { SECTIONS } from '../../../src-renderer/state/view.ts'
import { bottleRow } from '../../support/rows.ts'
import { itemAt, outline, stateOf } from './states.ts'

const menuOf = (changes: Partial<AppMenuFacts> = {}) =>
  appMenu({
    state: stateOf({ bottles: [bottleRow('demo')] }),
    platform: 'linux',
    has: { installCommand: true, checkUpdates: true },
    isDevelopment: false,
    ...changes,
  })
const titles = (items: readonly MenuItem[]) => items.map((item) => ('label' in item ? item.label : ''))

test('on a Mac the first menu is the app’s, with what a Mac puts there', () => {
  const menu = menuOf({ platform: 'darwin' })
  expect(titles(menu)).toEqual(['Icebox', 'File', 'Edit', 'Bottle', 'Go', 'View', 'Window', 'Help'])
  expect(outline(menu.slice(0, 1))).toEqual([
    'Icebox >',
    '  <about>',
    '  Check for updates…',
    '  -',
    '  Settings…',
    '  Install the icebox command…',
    '  -',
    '  <services>',
    '  -',
    '  <hide>',
    '  <hideOthers>',
    '  <unhide>',
    '  -',
    '  Quit Icebox',
  ])
  expect(outline(menu)).toContain('  <copy>')
})

test('on Linux settings are under Edit, quit under File and the rest under Help', () => {
  const menu = menuOf()
  expect(titles(menu)).toEqual(['File', 'Edit', 'Bottle', 'Go', 'View', 'Help'])
  expect(itemAt(menu, 'Edit', 'Settings…')).toMatchObject({ accelerator: 'CommandOrControl+,' })
  expect(itemAt(menu, 'File', 'Quit Icebox')).toMatchObject({
    accelerator: 'CommandOrControl+Q',
    command: { do: 'quit' },
  })
  expect(outline(menu.slice(-1))).toEqual([
    'Help >',
    '  Keyboard shortcuts',
    '  -',
    '  Install the icebox command…',
    '  Check for updates…',
    '  <about>',
  ])
})

test('what this build can’t do is not offered, and nothing for developers is in a release', () => {
  const menu = menuOf({ has: { installCommand: false, checkUpdates: false } })
  expect(outline(menu).join('\n')).not.toMatch(/Install|updates/)
  expect(outline(menu).join('\n')).not.toMatch(/toggleDevTools|reload/)
  expect(outline(menuOf({ isDevelopment: true }))).toContain('  <toggleDevTools>')
  expect(outline(menuOf({ state: stateOf() }))).toContain('  [Freeze all]')
})

test('every key is used once, and those of the page are left to the page', () => {
  const entries: readonly CommandEntry[] = [...Object.values(COMMANDS), ...SECTION_COMMANDS]
  const chords = entries.flatMap(({ chord }) => chord ?? [])
  expect(new Set(chords).size).toBe(chords.length)
  for (const { command, isPageKey } of entries) expect(isPageKey).toBe(command.do === 'page')
  const file = new URL('../../../src-renderer/palette/use-shortcuts.ts', import.meta.url)
  const page = readFileSync(file, 'utf8')
  for (const { chord, isPageKey } of Object.values(COMMANDS) as readonly CommandEntry[]) {
    if (isPageKey && chord !== undefined) expect(page, chord).toContain(`'${chord}'`)
  }
})

test('sections and their digits are those of the page', () => {
  expect(SECTION_NAMES).toEqual(SECTIONS)
  expect(SECTION_COMMANDS.map(({ chord }) => chord)).toEqual(SECTIONS.map((_, index) => `mod+${index + 1}`))
})

test.each([
  ['mod+shift+f', 'CommandOrControl+Shift+F'],
  ['mod+enter', 'CommandOrControl+Enter'],
  ['mod+backspace', 'CommandOrControl+Backspace'],
  ['mod+alt+i', 'CommandOrControl+Alt+I'],
  ['mod+shift+space', 'CommandOrControl+Shift+Space'],
  ['mod+,', 'CommandOrControl+,'],
])('the chord %s is %s to Electron', (chord, expected) => {
  expect(accelerator(chord)).toBe(expected)
})
