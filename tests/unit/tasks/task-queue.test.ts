import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import { createTaskQueue, type TaskQueue } from '../../../src-main/tasks/task-queue.ts'

/** Resolves once the condition holds; looked at after each change of the queue. */
function until(queue: TaskQueue, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return
      leave()
      resolve()
    }
    const leave = queue.onChange(look)
    look()
  })
}
const stateOf = (queue: TaskQueue, id: string) => queue.list().find((task) => task.id === id)?.state
const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('createTaskQueue', () => {
  test('answers at once, then runs, and joins notices to the message', async () => {
    const queue = createTaskQueue()
    const id = queue.start('stop', 'web-1', async ({ notice }) => {
      notice('It took two tries.')
      return 'Stopped web-1.'
    })
    expect(stateOf(queue, id)).toBe('running')
    await until(queue, () => stateOf(queue, id) === 'done')
    expect(queue.list()[0]?.message).toBe('Stopped web-1. It took two tries.')
  })

  test('a failure becomes a value with the slug', async () => {
    const queue = createTaskQueue()
    const id = queue.start('freeze', 'web-1', () => Promise.reject(bottleError('engine-down')))
    await until(queue, () => stateOf(queue, id) === 'failed')
    expect(queue.list()[0]?.error).toMatchObject({ code: 'engine-down', retryable: true, slug: 'web-1' })
  })

  test('cancel aborts the signal and ends as cancelled; a second one finds nothing', async () => {
    const queue = createTaskQueue()
    const id = queue.start('freeze', 'web-1', ({ signal }) => untilAborted(signal))
    await until(queue, () => stateOf(queue, id) === 'running')
    expect(queue.cancel(id)).toBe(true)
    await until(queue, () => stateOf(queue, id) === 'cancelled')
    expect(queue.cancel(id)).toBe(false)
    expect(queue.cancel('nothing')).toBe(false)
  })

  test('heavy work is bounded, light work is not, and a waiting task can be cancelled', async () => {
    const queue = createTaskQueue({ heavySlots: 2 })
    let runningNow = 0
    let most = 0
    const gates: (() => void)[] = []
    const heavy = () =>
      queue.start('freeze', null, async () => {
        runningNow += 1
        most = Math.max(most, runningNow)
        await new Promise<void>((resolve) => gates.push(resolve))
        runningNow -= 1
        return ''
      })
    const ids = [heavy(), heavy(), heavy(), heavy()]
    const light = queue.start('stop', null, async () => '')
    await until(queue, () => stateOf(queue, light) === 'done')
    expect(gates).toHaveLength(2)
    expect(queue.cancel(ids[3] ?? '')).toBe(true)
    await until(queue, () => stateOf(queue, ids[3] ?? '') === 'cancelled')
    for (const open of gates) open()
    await vi.waitFor(() => expect(gates).toHaveLength(3))
    gates[2]?.()
    await until(queue, () => stateOf(queue, ids[2] ?? '') === 'done')
    expect(most).toBe(2)
  })

  test('nobody is there to agree to anything but a stop', async () => {
    const queue = createTaskQueue()
    const answers: boolean[] = []
    const id = queue.start('adopt', null, async ({ confirm }) => {
      answers.push(await confirm('Remove it?'))
      return ''
    })
    await until(queue, () => stateOf(queue, id) === 'done')
    expect(answers).toEqual([false])
  })

  describe('a question before a stop', () => {
    const asking = (queue: TaskQueue, answers: boolean[]) =>
      queue.start('freeze', 'web-1', async ({ confirmStop }) => {
        answers.push(await confirmStop('It has to stop. Stop it?'))
        return ''
      })
    const questionOf = (queue: TaskQueue, id: string) =>
      queue.list().find((task) => task.id === id)?.question ?? null

    test.each([true, false])('is carried by the task until somebody says %s', async (agree) => {
      const queue = createTaskQueue()
      const answers: boolean[] = []
      const id = asking(queue, answers)
      await until(queue, () => questionOf(queue, id) === 'It has to stop. Stop it?')
      expect(answers).toEqual([])
      expect(queue.answer(id, agree)).toBe(true)
      await until(queue, () => stateOf(queue, id) === 'done')
      expect(answers).toEqual([agree])
      expect(questionOf(queue, id)).toBeNull()
      expect(queue.answer(id, agree)).toBe(false)
    })

    test('is declined when the task is cancelled', async () => {
      const queue = createTaskQueue()
      const answers: boolean[] = []
      const id = asking(queue, answers)
      await until(queue, () => questionOf(queue, id) !== null)
      queue.cancel(id)
      await until(queue, () => stateOf(queue, id) !== 'running')
      expect(answers).toEqual([false])
      expect(questionOf(queue, id)).toBeNull()
    })
  })

  test('close cancels what runs and waits for its roll-back', async () => {
    const queue = createTaskQueue()
    let isRolledBack = false
    const id = queue.start('freeze', null, async ({ signal }) => {
      try {
        return await untilAborted(signal)
      } finally {
        await Promise.resolve()
        isRolledBack = true
      }
    })
    await until(queue, () => stateOf(queue, id) === 'running')
    await Promise.resolve()
    await queue.close(5000)
    expect(isRolledBack).toBe(true)
  })

  describe('progress', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    test('a thousand reports are one change per 50 ms, the newest one', async () => {
      const queue = createTaskQueue()
      queue.start('stop', null, async ({ progress, signal }) => {
        for (let current = 1; current <= 1000; current += 1)
          progress({ phase: 'Saving', current, total: 1000 })
        return untilAborted(signal)
      })
      await vi.advanceTimersByTimeAsync(0)
      let changes = 0
      queue.onChange(() => {
        changes += 1
      })
      await vi.advanceTimersByTimeAsync(60)
      expect(changes).toBe(1)
      expect(queue.list()[0]?.progress?.current).toBe(1000)
    })
  })
})
