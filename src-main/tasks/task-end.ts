import type { Task } from '../../src-preload/contract/index.ts'
import type { TaskQueue } from './task-queue.ts'

/**
 * Waits for a task and returns it as it ended; null when it was dismissed meanwhile.
 * @throws the signal's reason when that aborts first; the task goes on
 */
export function taskEnd(
  tasks: Pick<TaskQueue, 'list' | 'onChange'>,
  id: string,
  signal: AbortSignal,
): Promise<Task | null> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      leave()
      signal.removeEventListener('abort', abort)
    }
    const look = (): void => {
      const task = tasks.list().find((each) => each.id === id)
      if (task?.state === 'running') return
      stop()
      resolve(task ?? null)
    }
    const abort = (): void => {
      stop()
      reject(signal.reason)
    }
    const leave = tasks.onChange(look)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    else look()
  })
}
