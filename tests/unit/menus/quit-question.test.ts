import { describe, expect, test } from 'vitest'
import { planQuit, type QuitFacts, quitStopped } from '../../../src-main/menus/quit-question.ts'
import { task } from '../../support/renderer-rows.ts'
import { bottleRow } from '../../support/rows.ts'

const facts = (over: Partial<QuitFacts> = {}): QuitFacts => ({
  bottles: [],
  tasks: [],
  setting: 'ask',
  why: 'quit',
  ...over,
})
const asked = (over: Partial<QuitFacts>) => {
  const plan = planQuit(facts(over))
  if (plan.do !== 'ask') throw new Error(`not asked: ${plan.do}`)
  return plan.question
}
const RUNNING = [bottleRow('otter')]
const EXPORT = [task('1', { kind: 'export', slug: 'seal', state: 'running' })]

describe('a quit', () => {
  test('is not asked about when nothing is at work', () => {
    const bottles = [
      bottleRow('a', { state: 'frozen' }),
      bottleRow('b', { state: 'stopped' }),
      bottleRow('c', { state: 'failed' }),
      bottleRow('d', { state: 'unknown' }),
    ]
    const tasks = [task('1', { state: 'done' }), task('2', { kind: 'prepare', slug: 'a', state: 'running' })]
    expect(planQuit(facts({ bottles, tasks }))).toEqual({ do: 'leave' })
  })
  test.each(['starting', 'running', 'paused'] as const)('asks about a bottle that is %s', (state) => {
    expect(planQuit(facts({ bottles: [bottleRow('otter', { state })] })).do).toBe('ask')
  })
  test.each([
    ['leave', 'leave'],
    ['freeze', 'freeze'],
    ['ask', 'ask'],
    [undefined, 'ask'],
    ['nonsense', 'ask'],
  ])('with the setting %s: %s', (setting, expected) => {
    expect(planQuit(facts({ bottles: RUNNING, setting })).do).toBe(expected)
  })
  test('that leaves bottles running still asks about work of the app itself', () => {
    const question = asked({ bottles: RUNNING, tasks: EXPORT, setting: 'leave' })
    expect(question.buttons.map(({ answer }) => answer)).toEqual(['finish', 'leave', 'cancel'])
    expect(question.checkboxLabel).toBeNull()
  })
})

describe('the question', () => {
  test('names one bottle, leaves it running by default and cancels with Escape', () => {
    expect(asked({ bottles: RUNNING })).toEqual({
      message: 'otter is running. Quit Icebox?',
      detail: 'It goes on without Icebox, or Icebox freezes and stops it first, to be resumed later.',
      buttons: [
        { label: 'Leave running', answer: 'leave' },
        { label: 'Freeze, then quit', answer: 'freeze' },
        { label: 'Cancel', answer: 'cancel' },
      ],
      defaultId: 0,
      cancelId: 2,
      checkboxLabel: 'Do the same from now on',
    })
  })
  test('counts several, names a few, and says what leaving cancels', () => {
    const bottles = ['a', 'b', 'c', 'd', 'e', 'f'].map((slug) => bottleRow(slug))
    const { message, detail } = asked({ bottles, tasks: EXPORT, why: 'update' })
    expect(message).toBe('6 bottles are running. Quit Icebox?')
    expect(detail.split('\n')).toEqual([
      'Icebox quits to install the update.',
      'a, b, c, d and 2 more.',
      'They go on without Icebox, or Icebox freezes and stops them first, to be resumed later.',
      'Leaving now cancels: Exporting seal.',
    ])
  })
  test('about tasks alone finishes them by default', () => {
    const question = asked({ tasks: EXPORT })
    expect(question.message).toBe('A task is not done yet. Quit Icebox?')
    expect(question.buttons[question.defaultId]?.answer).toBe('finish')
    expect(question.buttons[question.cancelId]?.answer).toBe('cancel')
  })
})

test('a quit that stopped says at what', () => {
  const problems = Array.from({ length: 10 }, (_, n) => ({
    slug: `b${n}`,
    kind: 'freeze' as const,
    message: 'The disk is full.\nReally',
  }))
  const { message, detail } = quitStopped(problems)
  expect(message).toBe('Icebox did not quit')
  expect(detail.split('\n')[0]).toBe('Freezing b0: The disk is full. Really')
  expect(detail).toContain('And 2 more.')
})
