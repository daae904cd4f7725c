import type { StateSnapshot } from '../../src-preload/contract/index.ts'
import { visibleTasks } from './bottle-facts.ts'

/** What the app's icon shows of running tasks. */
export type IconProgress =
  | { readonly kind: 'none' }
  | { readonly kind: 'indeterminate' }
  | { readonly kind: 'fraction'; readonly fraction: number }

/** All running tasks as one bar, in whole percents: the mean of those that can tell. Pure. */
export function progressOf(state: Pick<StateSnapshot, 'tasks'>): IconProgress {
  const tasks = visibleTasks(state)
  if (tasks.length === 0) return { kind: 'none' }
  const shares = tasks.flatMap(({ progress }) =>
    progress && progress.current !== null && progress.total
      ? [Math.min(1, Math.max(0, progress.current / progress.total))]
      : [],
  )
  if (shares.length === 0) return { kind: 'indeterminate' }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  return { kind: 'fraction', fraction: Math.floor(mean * 100) / 100 }
}
