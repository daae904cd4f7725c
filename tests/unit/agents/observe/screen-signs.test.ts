import { expect, test } from 'vitest'
import { readScreen } from '../../../../src-main/agents/observe/screen-signs.ts'
import * as screens from './screens.ts'

const read = (text: string) => readScreen(text.split('\n'))
const QUIET = {
  isWorking: false,
  question: null,
  limit: null,
  signIn: null,
  unsent: null,
}

test.each([
  ['claude at its input line', screens.CLAUDE_IDLE, { ...QUIET, hasInput: true, subagents: 0 }],
  ['claude with a hint of its own', screens.CLAUDE_HINT, { ...QUIET, hasInput: true }],
  [
    'claude with unsent text',
    screens.CLAUDE_UNSENT,
    { ...QUIET, hasInput: true, unsent: 'please also fix the tests' },
  ],
  ['claude at work', screens.CLAUDE_WORKING, { ...QUIET, isWorking: true, subagents: 2 }],
  [
    'claude asks for permission',
    screens.CLAUDE_PERMISSION,
    { ...QUIET, question: 'Do you want to proceed?', questionKind: 'choice', hasInput: false },
  ],
  [
    'claude at its limit',
    screens.CLAUDE_LIMIT,
    { ...QUIET, limit: "You've hit your limit · resets 5pm (UTC)", hasInput: true },
  ],
  ['claude after its limit', screens.CLAUDE_OLD_LIMIT, { ...QUIET, hasInput: true }],
  [
    'claude signed out',
    screens.CLAUDE_SIGNED_OUT,
    { ...QUIET, signIn: expect.stringContaining('API Error: 401') },
  ],
  ['claude never signed in', screens.CLAUDE_LOGIN_FOOTER, { ...QUIET, signIn: 'Not logged in · Run /login' }],
  ['codex at work', screens.CODEX_WORKING, { ...QUIET, isWorking: true }],
  ['codex at its input line', screens.CODEX_IDLE, { ...QUIET, hasInput: true }],
  ['codex at its limit', screens.CODEX_LIMIT, { ...QUIET, limit: expect.stringContaining('usage limit') }],
  [
    'codex wants a sign-in',
    screens.CODEX_SIGN_IN,
    { signIn: expect.stringContaining('Sign in with ChatGPT') },
  ],
  [
    'codex asks for approval',
    screens.CODEX_APPROVAL,
    { ...QUIET, question: 'Would you like to run the following command?' },
  ],
  ['pi at its input line', screens.PI_IDLE, { ...QUIET, hasInput: true }],
  ['pi at work', screens.PI_WORKING, { ...QUIET, isWorking: true }],
  [
    'a y/n question',
    screens.SHELL_YES_NO,
    { ...QUIET, question: 'Load the settings of this folder? (y/n)', questionKind: 'y/n' },
  ],
])('%s', (_name, screen, expected) => {
  expect(read(screen)).toMatchObject(expected)
})

test('talk about logins, limits, percents and questions is none of them', () => {
  expect(read(screens.CLAUDE_CHAT)).toEqual({
    ...QUIET,
    questionKind: null,
    hasInput: true,
    subagents: 0,
  })
})

test('an empty screen says nothing', () => {
  expect(read('')).toEqual({ ...QUIET, questionKind: null, hasInput: false, subagents: null })
})
