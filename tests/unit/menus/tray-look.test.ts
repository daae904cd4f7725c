import { expect, test } from 'vitest'
import { CALM } from '../../../src-main/menus/attention.ts'
import { trayLook } from '../../../src-main/menus/tray-look.ts'
import { bottleRow } from '../../support/rows.ts'
import { stateOf, taskOf } from './states.ts'

const frozen = bottleRow('ice', { state: 'frozen' })
const running = bottleRow('run')
const waiting = bottleRow('ask', { agentState: 'waiting' })
const FAILED = { failed: new Set(['run']) }

test.each([
  [[], [], CALM, 'idle', '', 'Icebox: No bottles yet'],
  [[frozen], [], CALM, 'idle', '', 'Icebox: Nothing runs'],
  [[frozen, running], [], CALM, 'running', '1', 'Icebox: 1 running'],
  [[running], [taskOf('t')], CALM, 'working', '1', 'Icebox: 1 running · Freezing demo…'],
  [[running], [], FAILED, 'error', '', 'Icebox: 1 running · 1 failed'],
  [
    [running, waiting],
    [taskOf('t')],
    FAILED,
    'waiting',
    '1',
    'Icebox: 2 running · 1 waiting for you · 1 failed · Freezing demo…',
  ],
] as const)('its shape says what matters most: %#', (bottles, tasks, attention, shape, count, tooltip) => {
  expect(trayLook(stateOf({ bottles: [...bottles], tasks: [...tasks] }), attention)).toEqual({
    shape,
    count,
    tooltip,
  })
})

test('the tooltip is bounded however much goes on', () => {
  const tasks = Array.from({ length: 90 }, (_, n) => taskOf(`t${n}`, { slug: 'x'.repeat(200) }))
  expect(trayLook(stateOf({ tasks }), CALM).tooltip.length).toBeLessThanOrEqual(120)
})
