import { mayStop, neverStopping } from '../bottles/confirm-stop.ts'
import type { Bottles } from '../bottles/services.ts'
import type { Missed } from '../menus/power-rules.ts'
import { taskEnd } from '../tasks/task-end.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'

export interface FreezeManyParts {
  readonly bottles: Pick<Bottles, 'freeze' | 'stop'>
  readonly tasks: TaskQueue
}

export interface FreezeManyOptions {
  /** Of each new snapshot; one that is kept because nothing changed keeps its own. */
  readonly note: string
  /** Stops each one once it is frozen: what it does in between stays on its engine, and a resume freezes that too. */
  readonly thenStop?: boolean
  /** After this none begins any more, and those under way count as missed only if they fail. */
  readonly noMore: AbortSignal
  /** Ends the waiting; what has begun goes on. */
  readonly signal: AbortSignal
}

/** Engines make everybody wait while they take their consistent point, so few at once are the quickest. */
const AT_ONCE = 2

/** Freezes bottles in this order as tasks that everybody sees, and returns those that were not frozen. */
export async function freezeMany(
  { bottles, tasks }: FreezeManyParts,
  slugs: readonly string[],
  { note, thenStop = false, noMore, signal }: FreezeManyOptions,
): Promise<readonly Missed[]> {
  const waiting = [...slugs]
  const missed: Missed[] = []
  const stop = (slug: string): Promise<string | null | undefined> => {
    const id = tasks.start('stop', slug, async (context) => {
      const { left } = await bottles.stop(slug, {}, context)
      return [`Stopped ${slug}.`, ...left].join(' ')
    })
    return problemOf(tasks, id, signal)
  }
  const worker = async (): Promise<void> => {
    for (;;) {
      const slug = waiting.shift()
      if (slug === undefined) return
      if (noMore.aborted || signal.aborted) {
        missed.push({ slug, problem: null })
        continue
      }
      const id = tasks.start('freeze', slug, async (context) => {
        // Who agreed that it is stopped afterwards agreed that it is stopped for the freeze.
        const unwatched = thenStop ? mayStop(context) : neverStopping(slug, context)
        const { snapshot } = await bottles.freeze({ slug, note, reason: 'rule' }, unwatched)
        return `Froze ${slug} as ${snapshot.id}.`
      })
      let problem = await problemOf(tasks, id, signal)
      if (problem === undefined && thenStop) problem = await stop(slug)
      if (problem !== undefined) missed.push({ slug, problem })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return missed
}

/** Undefined when the task did its work; null when time was over first. */
async function problemOf(
  tasks: TaskQueue,
  id: string,
  signal: AbortSignal,
): Promise<string | null | undefined> {
  try {
    const task = await taskEnd(tasks, id, signal)
    if (task?.state === 'done') return undefined
    return task?.message ?? 'It was cancelled.'
  } catch {
    return null
  }
}
