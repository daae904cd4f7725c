import type { Failure, Progress, Task } from '../../src-preload/contract/index.ts'

/** Everything that can happen to a task; applied by one pure function. */
export type TaskEvent =
  | {
      readonly type: 'started'
      readonly id: string
      readonly kind: Task['kind']
      readonly slug: string | null
      readonly at: string
    }
  | { readonly type: 'named'; readonly id: string; readonly slug: string }
  | { readonly type: 'progress'; readonly id: string; readonly progress: Progress }
  | { readonly type: 'asked'; readonly id: string; readonly question: string | null }
  | { readonly type: 'done'; readonly id: string; readonly message: string | null; readonly at: string }
  | { readonly type: 'failed'; readonly id: string; readonly error: Failure; readonly at: string }
  | { readonly type: 'dismissed'; readonly id: string }

/** Ended tasks that are remembered; the oldest go first. */
export const KEPT_TASKS = 50

/**
 * The next list of tasks, oldest first. Unchanged tasks keep their identity, and an event that changes nothing
 * returns the very same list. An ended task never changes again.
 */
export function reduceTasks(tasks: readonly Task[], event: TaskEvent, kept = KEPT_TASKS): readonly Task[] {
  if (event.type === 'started') return trim([...tasks, newTask(event)], kept)
  const index = tasks.findIndex((task) => task.id === event.id)
  const task = tasks[index]
  if (!task) return tasks
  if (event.type === 'dismissed') return task.state === 'running' ? tasks : tasks.toSpliced(index, 1)
  if (task.state !== 'running') return tasks
  return trim(tasks.with(index, changed(task, event)), kept)
}

function newTask(event: Extract<TaskEvent, { type: 'started' }>): Task {
  return {
    id: event.id,
    kind: event.kind,
    slug: event.slug,
    state: 'running',
    progress: null,
    question: null,
    startedAt: event.at,
    endedAt: null,
    error: null,
    message: null,
  }
}

function changed(task: Task, event: Exclude<TaskEvent, { type: 'started' | 'dismissed' }>): Task {
  switch (event.type) {
    case 'named':
      return { ...task, slug: event.slug }
    case 'progress':
      return { ...task, progress: event.progress }
    case 'asked':
      return { ...task, question: event.question }
    case 'done':
      return {
        ...task,
        state: 'done',
        progress: null,
        question: null,
        endedAt: event.at,
        message: event.message,
      }
    case 'failed':
      return {
        ...task,
        state: event.error.code === 'cancelled' ? 'cancelled' : 'failed',
        progress: null,
        question: null,
        endedAt: event.at,
        error: event.error,
        message: event.error.message,
      }
  }
}

function trim(tasks: readonly Task[], kept: number): readonly Task[] {
  let surplus = tasks.filter((task) => task.state !== 'running').length - kept
  if (surplus <= 0) return tasks
  return tasks.filter((task) => task.state === 'running' || surplus-- <= 0)
}
