import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { answersFor, findAnswer, toStrokes } from '../../../../src-main/agents/startup/answers.ts'
import { inputOf, isUnsent, questionOf } from '../../../../src-main/agents/startup/screen-signs.ts'

const lines = (text: string) => text.split('\n')

test.each([
  ['choices', 'Do you want to proceed?\n❯ 1. Yes\n  2. No', 'Do you want to proceed?'],
  ['a box', '│ Edit file?\n│ ❯ 1. Yes\n│   2. No, tell Claude', 'Edit file?'],
  ['yes or no', 'Load the settings of this folder? (y/n)', 'Load the settings of this folder? (y/n)'],
  [
    'codex',
    'Do you trust this folder?\n› 1. Yes, continue\n  2. No\n\n  Press enter to continue',
    'Do you trust this folder?',
  ],
])('a question: %s', (_name, text, question) => {
  expect(questionOf(lines(text))).toBe(question)
})

test.each([
  ['an input line below a list', '⏺ Choose one?\n❯ 1. Yes\n  2. No\n\n❯ \n  ? for shortcuts'],
  ['talk of a key', '⏺ Press Enter to continue\n\n────\n❯ \n────'],
  ['nothing', '\n\n'],
  ['work', '✶ Working… (esc to interrupt)\n❯ '],
])('no question: %s', (_name, text) => {
  expect(questionOf(lines(text))).toBeNull()
})

test('the input line is the last one with a mark', () => {
  expect(inputOf(lines('❯ asked before\n⏺ Done\n────\n❯ now\n────'))).toBe('now')
  expect(inputOf(lines('╭──╮\n│ >    │\n╰──╯'))).toBe('')
  expect(inputOf(lines('no mark'))).toBeNull()
  expect(isUnsent(lines('❯ the mission is long\n'), 'the mission is long\nand has lines')).toBe(true)
  expect(isUnsent(lines('❯ the mission\n⏺ Done\n❯ '), 'the mission')).toBe(false)
})

test('a rule is used once, a broken pattern is a plain text, and rules of other providers do not count', () => {
  const startup = {
    ...DEFAULT_LIFECYCLE.startup,
    answers: [{ name: 'odd', pattern: 'what(', keys: ['Tab', 'x'] }],
  }
  const rules = answersFor('pi', startup)
  expect(findAnswer(rules, lines('what( now'), [])?.name).toBe('odd')
  expect(findAnswer(rules, lines('what( now'), ['odd'])).toBeNull()
  expect(findAnswer(rules, lines('Go on? (y/n)'), [])).toBeNull()
  expect(findAnswer(answersFor('claude', startup), lines('Go on? (y/n)'), [])?.keys).toEqual(['y', 'Enter'])
  expect(toStrokes(['Tab', 'x'])).toEqual([{ key: 'Tab' }, { text: 'x' }])
})
