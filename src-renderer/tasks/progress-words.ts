import type { Progress, Task } from '../../src-preload/contract/entities.ts'
import { t } from '../ui/en.ts'
import { bytes, capital } from '../ui/format.ts'

/** How far a task is, between 0 and 1; null when nobody can tell. */
export function shareOf(progress: Progress | null | undefined): number | null {
  if (!progress || progress.current === null || !progress.total) return null
  return Math.min(1, Math.max(0, progress.current / progress.total))
}

/** Small totals count things, large ones are bytes. */
const SMALLEST_BYTES = 1000

/** A task's progress in words: its phase, and bytes where the engine tells. */
export function progressWords(task: Task): string {
  const { progress } = task
  if (task.question !== null) return t.activity.asks
  if (!progress) return ''
  const phase = capital(progress.phase.replaceAll('-', ' '))
  if (progress.current === null) return phase
  const show = (count: number) =>
    Math.max(progress.total ?? 0, count) >= SMALLEST_BYTES ? bytes(count) : String(count)
  const amount =
    progress.total === null
      ? show(progress.current)
      : t.activity.of(show(progress.current), show(progress.total))
  return `${phase} · ${amount}`
}

/** "62 %" or empty. */
export function percent(progress: Progress | null): string {
  const share = shareOf(progress)
  return share === null ? '' : `${Math.round(share * 100)} %`
}
