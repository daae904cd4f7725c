import { expect, test } from 'vitest'
import { taskEnd } from '../../../src-main/tasks/task-end.ts'
import { createTaskQueue } from '../../../src-main/tasks/task-queue.ts'

const never = new AbortController().signal

test('a task’s end is told as it was, also when it is over already', async () => {
  const tasks = createTaskQueue()
  const id = tasks.start('export', 'otter', async () => 'Exported.')
  expect(await taskEnd(tasks, id, never)).toMatchObject({ state: 'done', message: 'Exported.' })
  expect(await taskEnd(tasks, id, never)).toMatchObject({ state: 'done' })
})

test('a failed and a cancelled one end too', async () => {
  const tasks = createTaskQueue()
  const failing = tasks.start('export', 'otter', () => Promise.reject(new Error('x')))
  expect(await taskEnd(tasks, failing, never)).toMatchObject({ state: 'failed' })
  const long = tasks.start(
    'export',
    'otter',
    ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  const ended = taskEnd(tasks, long, never)
  await new Promise(setImmediate)
  tasks.cancel(long)
  expect(await ended).toMatchObject({ state: 'cancelled' })
})

test('one that nobody knows any more counts as ended', async () => {
  expect(await taskEnd(createTaskQueue(), 'gone', never)).toBeNull()
})

test('the waiting ends with its signal, the task goes on', async () => {
  const tasks = createTaskQueue()
  let finish = () => {}
  const id = tasks.start(
    'export',
    'otter',
    () =>
      new Promise((resolve) => {
        finish = () => resolve('Exported.')
      }),
  )
  const stop = new AbortController()
  const waiting = taskEnd(tasks, id, stop.signal)
  await new Promise(setImmediate)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(taskEnd(tasks, id, stop.signal)).rejects.toThrow('enough')
  finish()
  expect(await taskEnd(tasks, id, never)).toMatchObject({ state: 'done' })
})
