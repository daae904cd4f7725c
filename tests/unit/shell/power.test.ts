import { EventEmitter } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { startPower } from '../../../src-main/shell/power.ts'
import { readJournal } from '../../../src-main/state/journal.ts'
import type { StateRoot } from '../../../src-main/state/root.ts'
import type { Battery } from '../../../src-main/system/battery.ts'
import { bottleRow } from '../../support/rows.ts'
import { testRoot } from '../../support/test-root.ts'
import { quitDesktop } from './quit-desktop.ts'

class Monitor extends EventEmitter {
  onBattery = false
  isOnBatteryPower(): boolean {
    return this.onBattery
  }
}

const open: AbortController[] = []
afterEach(() => {
  for (const stop of open.splice(0)) stop.abort()
})

const ON = { freezeOnSleep: true, freezeOnLowBattery: true, freezeOnShutdown: true, lowBatteryPercent: 10 }

function scene(settings: Record<string, unknown> = ON, slugs = ['otter', 'seal', 'tern'], root?: StateRoot) {
  const made = quitDesktop(
    slugs.map((slug) => bottleRow(slug)),
    settings,
    root,
  )
  open.push(made.stop)
  const monitor = new Monitor()
  const told: string[] = []
  const state = { battery: null as Battery | null, sessionEnds: 0 }
  startPower(made.desktop, {
    monitor: monitor as never,
    platform: 'linux',
    readBattery: async () => state.battery,
    tell: (text) => told.push(text),
    endSession: () => {
      state.sessionEnds += 1
    },
  })
  const frozen = () => made.seen.freezes.map(({ slug }) => slug)
  return { ...made, monitor, told, state, frozen }
}

test('sleep freezes what runs, with a reason, and is silent about it', async () => {
  const { monitor, seen, told, tasks, frozen } = scene()
  monitor.emit('suspend')
  await vi.waitFor(() => expect(tasks.list().filter(({ state }) => state === 'done')).toHaveLength(3))
  expect(frozen()).toEqual(['otter', 'seal', 'tern'])
  expect(seen.freezes[0]).toMatchObject({ note: 'Before sleep', reason: 'rule' })
  expect(seen.stops).toEqual([])
  monitor.emit('resume')
  await new Promise(setImmediate)
  expect(told).toEqual([])
})

test('a rule that is off freezes nothing', async () => {
  const { monitor, frozen, state } = scene({ freezeOnSleep: false })
  monitor.emit('suspend')
  monitor.emit('resume')
  monitor.emit('shutdown', { preventDefault() {} })
  await vi.waitFor(() => expect(state.sessionEnds).toBe(1))
  expect(frozen()).toEqual([])
})

test('what had not begun before the sleep is told after it, what had goes on', async () => {
  const root = await testRoot()
  await mkdir(root.path('state', 'tern'))
  const { monitor, fate, told, frozen } = scene(ON, undefined, root)
  let wake = () => {}
  const sleeping = new Promise<void>((resolve) => {
    wake = resolve
  })
  fate.waits.set('otter', sleeping).set('seal', sleeping)
  monitor.emit('suspend')
  await vi.waitFor(() => expect(frozen()).toEqual(['otter', 'seal']))
  monitor.emit('resume')
  wake()
  await vi.waitFor(() =>
    expect(told).toEqual(['tern was not frozen before the computer slept: there was no time left.']),
  )
  expect(frozen()).toEqual(['otter', 'seal'])
  expect(await readJournal(root, 'tern')).toMatchObject([
    { op: 'freeze', outcome: 'notice', message: told[0] },
  ])
})

test('a shutdown is held up until all is frozen, then the app ends', async () => {
  const { monitor, state, frozen, seen } = scene()
  const preventDefault = vi.fn()
  monitor.emit('shutdown', { preventDefault })
  expect(preventDefault).toHaveBeenCalledOnce()
  expect(state.sessionEnds).toBe(0)
  await vi.waitFor(() => expect(state.sessionEnds).toBe(1))
  expect(frozen()).toEqual(['otter', 'seal', 'tern'])
  expect(seen.freezes[0]?.note).toBe('Before shutdown')
  monitor.emit('shutdown', { preventDefault })
  await new Promise(setImmediate)
  expect(state.sessionEnds).toBe(1)
})

test('a freeze that hangs holds a shutdown up for its time only', async () => {
  const { monitor, fate, state, seen } = scene(ON, ['otter'])
  fate.waits.set('otter', new Promise(() => {}))
  monitor.emit('shutdown', { preventDefault() {} })
  await vi.waitFor(() => expect(state.sessionEnds).toBe(1), 8000)
  expect(String(seen.warnings[0])).toContain('otter was not frozen before the computer shut down')
}, 10_000)

test('a battery that becomes low freezes once', async () => {
  const { monitor, state, frozen } = scene(ON, ['otter'])
  state.battery = { percent: 40, isDischarging: true }
  monitor.onBattery = true
  monitor.emit('on-battery')
  await new Promise(setImmediate)
  expect(frozen()).toEqual([])
  state.battery = { percent: 9, isDischarging: true }
  monitor.emit('on-battery')
  await vi.waitFor(() => expect(frozen()).toEqual(['otter']))
  monitor.emit('on-battery')
  await new Promise(setImmediate)
  expect(frozen()).toEqual(['otter'])
})

test('it stops listening when the app ends', () => {
  const before = process.listenerCount('SIGTERM')
  const { monitor, stop } = scene()
  expect(process.listenerCount('SIGTERM')).toBe(before + 1)
  stop.abort()
  expect(monitor.eventNames()).toEqual([])
  expect(process.listenerCount('SIGTERM')).toBe(before)
})
