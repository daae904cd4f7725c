import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reduceTasks, type TaskEvent } from '../../../src-main/tasks/task-state.ts'
import type { Task } from '../../../src-preload/contract/entities.ts'
import { failure } from '../../../src-preload/contract/errors.ts'

const AT = '2026-01-01T00:00:00.000Z'
const started = (id: string): TaskEvent => ({ type: 'started', id, kind: 'freeze', slug: 'web-1', at: AT })
const run = (events: readonly TaskEvent[], kept?: number): readonly Task[] =>
  events.reduce<readonly Task[]>((tasks, event) => reduceTasks(tasks, event, kept), [])

describe('reduceTasks', () => {
  test('follows a task from start to end', () => {
    const [task] = run([
      started('a'),
      { type: 'progress', id: 'a', progress: { phase: 'Saving', current: 1, total: 2 } },
      { type: 'done', id: 'a', message: 'Froze web-1.', at: AT },
    ])
    expect(task).toMatchObject({ state: 'done', progress: null, message: 'Froze web-1.', endedAt: AT })
  })

  test('tells cancelled from failed by the code', () => {
    const [a, b] = run([
      started('a'),
      started('b'),
      { type: 'failed', id: 'a', error: failure('cancelled'), at: AT },
      { type: 'failed', id: 'b', error: failure('disk-full'), at: AT },
    ])
    expect([a?.state, b?.state]).toEqual(['cancelled', 'failed'])
    expect(b?.message).toBe('The disk is full.')
  })

  test('an ended task never changes and an unknown one is no matter', () => {
    const ended = run([started('a'), { type: 'done', id: 'a', message: null, at: AT }])
    const late: TaskEvent = {
      type: 'progress',
      id: 'a',
      progress: { phase: 'late', current: null, total: null },
    }
    expect(reduceTasks(ended, late)).toBe(ended)
    expect(reduceTasks(ended, { type: 'named', id: 'zz', slug: 'x' })).toBe(ended)
  })

  test('only an ended task can be dismissed', () => {
    const running = run([started('a')])
    expect(reduceTasks(running, { type: 'dismissed', id: 'a' })).toBe(running)
    expect(
      run([started('a'), { type: 'done', id: 'a', message: null, at: AT }, { type: 'dismissed', id: 'a' }]),
    ).toEqual([])
  })

  test('forgets the oldest ended tasks, never a running one, and keeps identities', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(12), fc.boolean()), { maxLength: 60 }), (steps) => {
        let tasks: readonly Task[] = []
        const running = new Set<string>()
        steps.forEach(([pick, isEnd], index) => {
          const event: TaskEvent = isEnd
            ? { type: 'done', id: `t${pick}`, message: null, at: AT }
            : started(`t${100 + index}-${pick}`)
          if (event.type === 'started') running.add(event.id)
          else running.delete(event.id)
          const next = reduceTasks(tasks, event, 3)
          const kept = next.filter((task) => tasks.includes(task)).length
          expect(next.length - kept).toBeLessThanOrEqual(1)
          tasks = next
        })
        expect(tasks.filter((task) => task.state !== 'running').length).toBeLessThanOrEqual(3)
        expect(tasks.filter((task) => task.state === 'running').map((task) => task.id)).toEqual([...running])
      }),
    )
  })
})
