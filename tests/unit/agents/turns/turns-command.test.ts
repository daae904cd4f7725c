import { expect, test } from 'vitest'
import { type TurnsInput, turnsCommand } from '../../../../src-main/agents/turns/turns-command.ts'
import { agentWith, commandsOf } from './agent.ts'

const input = (more: Partial<TurnsInput>): TurnsInput => ({
  agent: agentWith({}),
  prompt: null,
  session: { sessionId: null, isResuming: false },
  skipPermissions: false,
  args: [],
  workdir: '/w',
  ...more,
})

/** The three command lines of a call. */
function linesOf(argv: readonly string[]): string[] {
  const rest = argv.slice(10)
  const lines: string[] = []
  while (rest.length > 0) lines.push(rest.splice(0, Number(rest.shift())).join(' '))
  return lines
}

test('no text of a person is part of a shell string or of the first turn’s arguments', () => {
  const { argv, homeFiles } = turnsCommand(
    input({ prompt: 'secret $(rm) "plan"', agent: agentWith({ startup: commandsOf('second') }) }),
  )
  expect(argv.join('\n')).not.toContain('plan')
  expect(argv[9]).toBe('prompt command-1')
  expect(argv.slice(0, 4)).toEqual(['/bin/sh', '-c', '. "$HOME/.icebox/turns.sh"', 'icebox-turns'])
  expect(homeFiles).toMatchObject({
    '.icebox/turns/prompt': 'secret $(rm) "plan"\n',
    '.icebox/turns/command-1': 'second\n',
  })
})

test('claude begins with the planned conversation and goes on by its id', () => {
  const { argv } = turnsCommand(
    input({
      session: { sessionId: 'abc', isResuming: true },
      skipPermissions: true,
      args: ['--add-dir', '/x'],
    }),
  )
  const tail = '--output-format stream-json --verbose -- %icebox-prompt%'
  expect(linesOf(argv)).toEqual([
    `claude -p --dangerously-skip-permissions --resume abc --add-dir /x ${tail}`,
    `claude -p --dangerously-skip-permissions --resume %icebox-session% --add-dir /x ${tail}`,
    `claude -p --dangerously-skip-permissions --continue --add-dir /x ${tail}`,
  ])
})

test('a custom agent needs a headless command with a prompt', () => {
  const command = { headless: ['run'], interactive: null, resume: null }
  expect(() => turnsCommand(input({ agent: agentWith({}, { provider: 'custom', command }) }))).toThrow(
    '{prompt}',
  )
})

test('a custom agent goes on by its resume command, and says so when it has none', () => {
  const headless = ['run', '{prompt}']
  const none = turnsCommand(
    input({
      agent: agentWith({}, { provider: 'custom', command: { headless, interactive: null, resume: null } }),
    }),
  )
  expect(none.notices.join()).toContain('conversation of its own')
  expect(linesOf(none.argv)).toEqual(['run %icebox-prompt%', '', ''])
  const resume = ['run', '-c', '{prompt}']
  const some = turnsCommand(
    input({ agent: agentWith({}, { provider: 'custom', command: { headless, interactive: null, resume } }) }),
  )
  expect(linesOf(some.argv)).toEqual(['run %icebox-prompt%', '', 'run -c %icebox-prompt%'])
})
