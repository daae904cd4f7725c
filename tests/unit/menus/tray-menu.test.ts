import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MenuItem } from '../../../src-main/menus/menu-types.ts'
import { isSameMenu } from '../../../src-main/menus/same-menu.ts'
import { trayMenu } from '../../../src-main/menus/tray-menu.ts'
import { health } from '../../support/renderer-rows.ts'
import { bottleRow } from '../../support/rows.ts'
import { itemAt, outline, stateOf, taskOf } from './states.ts'

const NOW = new Date(2026, 10, 21, 16, 0)
const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 5).toISOString()
/** What a name from elsewhere may hold, and no menu can show. */
const ODD = ['&', '&&', '\n', '\r\n', '\t', '\0', '\u2028', '\u202e', ' ', 'a', 'é', '😀', '日本']
const menuOf = (changes: Parameters<typeof stateOf>[0] = {}) => trayMenu(stateOf(changes), NOW)
const frozen = (slug: string, lastFrozenAt: string) =>
  bottleRow(slug, { state: 'frozen', snapshots: 1, currentSnapshot: `id-${slug}`, lastFrozenAt })

test('without bottles it offers to make one', () => {
  expect(outline(menuOf())).toEqual([
    '(No bottles yet)',
    '-',
    '[Freeze all]',
    'New bottle…',
    'Recent snapshots >',
    '  (Nothing is frozen yet)',
    '-',
    'Open window',
    'Settings…',
    '-',
    'Quit Icebox',
  ])
})

test('three bottles: who waits first, each with what can be done now', () => {
  const menu = menuOf({
    bottles: [frozen('archive', at(20, 9)), bottleRow('build'), bottleRow('chat', { agentState: 'waiting' })],
  })
  expect(outline(menu)).toEqual([
    '(2 running · 1 waiting for you)',
    '-',
    'chat — waiting for you >',
    '  Open',
    '  -',
    '  Freeze',
    '  [Resume]',
    '  Stop',
    '  -',
    '  Logs',
    'build — running >',
    '  Open',
    '  -',
    '  Freeze',
    '  [Resume]',
    '  Stop',
    '  -',
    '  Logs',
    'archive — frozen >',
    '  Open',
    '  -',
    '  [Freeze]',
    '  Resume',
    '  [Stop]',
    '  -',
    '  Logs',
    '-',
    'Freeze all',
    'New bottle…',
    'Recent snapshots >',
    '  archive — 20 Nov, 09:05',
    '-',
    'Open window',
    'Settings…',
    '-',
    'Quit Icebox',
  ])
  expect(itemAt(menu, 'build — running', 'Freeze')).toMatchObject({
    command: { do: 'freeze', slug: 'build' },
  })
  expect(itemAt(menu, 'chat — waiting for you', 'Logs')).toMatchObject({
    command: { do: 'page', command: { id: 'show-bottle', slug: 'chat', tab: 'logs' } },
  })
  expect(itemAt(menu, 'Recent snapshots', 'archive — 20 Nov, 09:05')).toMatchObject({
    command: { do: 'resume', slug: 'archive', snapshot: 'id-archive' },
  })
})

test('recent snapshots are of bottles that rest, whether newer work lies beside them or not', () => {
  const taken = { currentSnapshot: 'id', snapshots: 1, lastFrozenAt: at(21, 9) }
  const menu = menuOf({
    bottles: [
      bottleRow('runs', taken),
      bottleRow('newer', { ...taken, state: 'frozen', badges: ['newer-version'] }),
      bottleRow('rests', { ...taken, state: 'stopped' }),
      bottleRow('never', { state: 'stopped' }),
    ],
  })
  const recent = itemAt(menu, 'Recent snapshots')
  expect(recent?.kind === 'submenu' && outline(recent.items)).toEqual(['rests — 09:05'])
})

test('500 bottles make a menu that can be read, and the rest is one click away', () => {
  const bottles = Array.from({ length: 500 }, (_, n) =>
    n % 2 ? bottleRow(`run-${n}`) : frozen(`ice-${n}`, at((n % 20) + 1, n % 24)),
  )
  const menu = menuOf({ bottles })
  expect(menu.filter((item) => item.kind === 'submenu')).toHaveLength(11)
  expect(outline(menu)).toContain('More…')
  expect(itemAt(menu, 'More…')).toMatchObject({
    command: { do: 'page', command: { id: 'section', section: 'bottles' } },
  })
  const recent = itemAt(menu, 'Recent snapshots')
  expect(recent?.kind === 'submenu' && outline(recent.items)).toHaveLength(10)
  expect(outline(menu).length).toBeLessThan(110)
})

test('a bottle that an operation holds can be looked at only, and the operation can be cancelled', () => {
  const menu = menuOf({ bottles: [bottleRow('demo')], tasks: [taskOf('t1')] })
  expect(outline(menu).slice(0, 10)).toEqual([
    '(1 running)',
    'Freezing demo… >',
    '  Cancel',
    '-',
    'demo — running >',
    '  Open',
    '  -',
    '  [Freeze]',
    '  [Resume]',
    '  [Stop]',
  ])
  expect(itemAt(menu, 'Freezing demo…', 'Cancel')).toMatchObject({
    command: { do: 'cancel-task', taskId: 't1' },
  })
  expect(outline(menu)).toContain('[Freeze all]')
})

test('many operations are bounded, and files made ready for a drag are no operation', () => {
  const tasks = Array.from({ length: 8 }, (_, n) => taskOf(`t${n}`, { slug: `b${n}` }))
  expect(outline(menuOf({ tasks }))).toContain('(5 more at work)')
  const ahead = menuOf({ bottles: [bottleRow('demo')], tasks: [taskOf('t1', { kind: 'prepare' })] })
  expect(outline(ahead)).toContain('  Freeze')
  expect(outline(ahead).slice(0, 2)).toEqual(['(1 running)', '-'])
})

test('an engine that has bottles and does not answer is named', () => {
  const engine = {
    name: 'docker',
    title: 'Docker & co',
    state: 'down' as const,
    version: null,
    endpoint: null,
    remote: false,
    capabilities: {},
    limits: [],
    reason: null,
    fix: null,
  }
  const bottles = [bottleRow('demo', { backend: 'docker', state: 'unknown' })]
  expect(outline(menuOf({ bottles, engines: [engine] }))[1]).toBe('(Docker && co does not answer)')
  expect(outline(menuOf({ engines: [engine] }))[1]).toBe('-')
})

test('names from elsewhere are one short line, and never an underlined key', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...ODD), maxLength: 200 }), (slug) => {
      const labels = allLabels(menuOf({ bottles: [bottleRow(slug), frozen(slug, at(20, 9))] }))
      const isBad = (label: string) =>
        /[\p{Cc}\u2028]/u.test(label) || label.replaceAll('&&', '').includes('&') || label.length > 250
      expect(labels.filter(isBad)).toEqual([])
    }),
  )
})

test('it is built anew only when what it shows changed', () => {
  const bottles = [bottleRow('demo'), frozen('archive', at(20, 9))]
  const before = menuOf({ bottles })
  const unseen = [
    { revision: 7 },
    { disk: { freeBytes: 5, snapshotBytes: 6 } },
    { bottles: bottles.map((bottle) => ({ ...bottle, bytes: 5, color: 'red', runId: 'other' })) },
    { tasks: [taskOf('t1', { state: 'done' })] },
  ]
  for (const change of unseen) expect(isSameMenu(before, menuOf({ bottles, ...change }))).toBe(true)
  expect(isSameMenu(before, menuOf({ bottles: bottles.slice(1) }))).toBe(false)
  expect(isSameMenu(before, menuOf({ bottles, tasks: [taskOf('t1')] }))).toBe(false)
  const working = { bottles, tasks: [taskOf('t1', { progress: { phase: 'x', current: 1, total: 9 } })] }
  const later = { bottles, tasks: [taskOf('t1', { progress: { phase: 'x', current: 8, total: 9 } })] }
  expect(isSameMenu(menuOf(working), menuOf(later))).toBe(true)
  expect(isSameMenu(undefined, before)).toBe(false)
})

function allLabels(items: readonly MenuItem[]): string[] {
  return items.flatMap((item) => [
    ...('label' in item && item.label !== undefined ? [item.label] : []),
    ...(item.kind === 'submenu' ? allLabels(item.items) : []),
  ])
}

test('what an agent asks stands beside its name, on one line; what a working one does is no news', () => {
  const asks = bottleRow('chat', {
    agentState: 'waiting',
    health: health({ reason: 'Run it\non staging & here?' }),
  })
  const limited = bottleRow('far', { agentState: 'limited', health: health() })
  const works = bottleRow('web', { agentState: 'working', health: health({ reason: 'Bash: npm test' }) })
  const labels = menuOf({ bottles: [works, asks, limited] }).flatMap((item) =>
    item.kind === 'submenu' || item.kind === 'label' ? [item.label] : [],
  )
  expect(labels).toContain('3 running · 2 waiting for you')
  expect(labels).toContain('chat — waiting for you: Run it on staging && here?')
  expect(labels).toContain('far — limited')
  expect(labels).toContain('web — working')
})
