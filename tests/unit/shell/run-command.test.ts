import { expect, test, vi } from 'vitest'
import type { MenuCommand } from '../../../src-main/menus/menu-types.ts'
import { type CommandParts, createCommandRunner } from '../../../src-main/shell/run-command.ts'
import { failure } from '../../../src-preload/contract/errors.ts'
import type { StateSnapshot } from '../../../src-preload/contract/index.ts'
import { bottleRow } from '../../support/rows.ts'
import { stateOf, taskOf } from '../menus/states.ts'

function runner(state: StateSnapshot, answer: (name: string) => ReturnType<CommandParts['router']>) {
  const router = vi.fn((name: string, _args: unknown) => answer(name))
  const tell = vi.fn()
  const window = {
    show: vi.fn(),
    send: vi.fn(),
    isOpen: () => false,
    contents: () => undefined,
    listening: () => {},
  }
  const openExternal = vi.fn(async () => {})
  const run = createCommandRunner({
    router,
    state: { get: () => state, onChange: () => () => {}, close: () => {} },
    window,
    shell: { openExternal },
    quit: () => {},
    tell,
    others: {},
  })
  return { run, router, tell, window, openExternal }
}
const fine = async () => ({ ok: true as const, value: {} })
const refused = async () => ({ ok: false as const, error: failure('busy', 'demo is busy.') })

test('freeze all freezes what runs, one call each, and nothing that is held or rests', async () => {
  const bottles = [
    bottleRow('a'),
    bottleRow('b', { state: 'paused' }),
    bottleRow('c', { state: 'frozen' }),
    bottleRow('held'),
    bottleRow('foreign', { badges: ['foreign'] }),
  ]
  const { run, router } = runner(stateOf({ bottles, tasks: [taskOf('t', { slug: 'held' })] }), fine)
  run({ do: 'freeze-all' })
  await vi.waitFor(() => expect(router).toHaveBeenCalledTimes(2))
  expect(router.mock.calls).toEqual([
    ['bottle:freeze', { slug: 'a', mayAsk: false }],
    ['bottle:freeze', { slug: 'b', mayAsk: false }],
  ])
})

test('what could not begin is told, the same thing once', async () => {
  const { run, tell } = runner(stateOf({ bottles: [bottleRow('a'), bottleRow('b')] }), refused)
  run({ do: 'freeze-all' })
  await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(1))
  expect(tell).toHaveBeenCalledWith('demo is busy.')
  run({ do: 'stop', slug: 'a' })
  await vi.waitFor(() => expect(tell).toHaveBeenCalledTimes(2))
})

test('a call that throws is told too', async () => {
  const { run, tell } = runner(stateOf(), () => Promise.reject(new Error('broken')))
  run({ do: 'resume', slug: 'a', snapshot: 'x' })
  await vi.waitFor(() => expect(tell).toHaveBeenCalledWith('broken'))
})

test.each([
  [{ do: 'freeze', slug: 'a' }, ['bottle:freeze', { slug: 'a' }]],
  [{ do: 'resume', slug: 'a' }, ['bottle:resume', { slug: 'a' }]],
  [{ do: 'resume', slug: 'a', snapshot: 's' }, ['bottle:resume', { slug: 'a', snapshot: 's' }]],
  [{ do: 'cancel-task', taskId: 't' }, ['task:cancel', { taskId: 't' }]],
  [{ do: 'set', key: 'theme', value: 'dark' }, ['settings:set', { key: 'theme', value: 'dark' }]],
] as const satisfies readonly (readonly [MenuCommand, unknown])[])(
  '%j is one call',
  async (command, call) => {
    const { run, router, tell } = runner(stateOf(), fine)
    run(command)
    await vi.waitFor(() => expect(router.mock.calls).toEqual([call]))
    expect(tell).not.toHaveBeenCalled()
  },
)

test('what only the page can do goes to the page; addresses only to known sites', () => {
  const { run, window, openExternal } = runner(stateOf(), fine)
  run({ do: 'page', command: { id: 'new-bottle' } })
  expect(window.send).toHaveBeenCalledWith({ id: 'new-bottle' })
  run({ do: 'open-external', url: 'file:///etc/passwd' })
  run({ do: 'open-external', url: 'https://evil.example/' })
  expect(openExternal).not.toHaveBeenCalled()
})
