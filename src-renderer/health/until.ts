import { t } from '../ui/en.ts'
import { duration } from '../ui/format.ts'

/** When something to come is due: "in 12 min", or "now" once its time has passed. Pure. */
export function until(iso: string, now: number): string {
  const left = Date.parse(iso) - now
  if (Number.isNaN(left)) return '–'
  return left <= 0 ? t.health.dueNow : t.health.dueIn(duration(left))
}
