import { expect, test, vi } from 'vitest'
import { startQuestions } from '../../../src-main/shell/questions.ts'
import type { StateSnapshot } from '../../../src-preload/contract/index.ts'
import { stateOf, taskOf } from '../menus/states.ts'

test('a task that asks opens the window, once for each question, until the app ends', () => {
  type Listener = (now: StateSnapshot, before: StateSnapshot) => void
  const listeners = new Set<Listener>()
  const show = vi.fn()
  const stop = new AbortController()
  const onChange = (listener: Listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  startQuestions({ signal: stop.signal, state: { onChange } as never, window: { show } as never })
  const quiet = stateOf({ tasks: [taskOf('t')] })
  const asking = stateOf({ tasks: [taskOf('t', { question: 'Stop it?' })] })
  const change: Listener = (now, before) => {
    for (const listener of listeners) listener(now, before)
  }
  change(quiet, quiet)
  expect(show).not.toHaveBeenCalled()
  change(asking, quiet)
  change(asking, asking)
  expect(show).toHaveBeenCalledTimes(1)
  stop.abort()
  change(asking, quiet)
  expect(show).toHaveBeenCalledTimes(1)
})
