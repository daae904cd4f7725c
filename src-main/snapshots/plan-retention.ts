import type { Snapshot } from '../../src-preload/contract/index.ts'

/** How many snapshots of a bottle stay per stretch of time. */
export interface Retention {
  readonly last: number
  readonly hourly: number
  readonly daily: number
  readonly weekly: number
}

export interface Kept {
  readonly id: string
  /** `the newest`, `pinned`, `newest of its day`, … */
  readonly reason: string
}

export interface RetentionPlan {
  readonly keep: readonly Kept[]
  readonly drop: readonly { readonly id: string; readonly reason: string }[]
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** The epoch began on a Thursday; weeks begin on Mondays, in UTC. */
const TO_MONDAY = 3 * DAY

const BUCKETS: readonly (readonly [keyof Omit<Retention, 'last'>, string, (time: number) => number])[] = [
  ['hourly', 'hour', (time) => Math.floor(time / HOUR)],
  ['daily', 'day', (time) => Math.floor(time / DAY)],
  ['weekly', 'week', (time) => Math.floor((time + TO_MONDAY) / (7 * DAY))],
]

/**
 * Which snapshots of ONE bottle a thinning takes. Of each of the last n hours, days and weeks that have any, the
 * newest stays, and so do the last n of all. Pinned, labelled and doubtful ones, the newest that passed its proof,
 * those in `protect` (id → reason) and those whose time lies ahead of `now` stay in any case. So does the newest: a
 * bottle is never left without one. Pure.
 */
export function planRetention(
  snapshots: readonly Snapshot[],
  policy: Retention,
  now: Date,
  protect: ReadonlyMap<string, string>,
): RetentionPlan {
  const newestFirst = [...snapshots].sort((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1))
  const reasons = new Map<string, string>()
  const keep = (snapshot: Snapshot | undefined, reason: string) => {
    if (snapshot && !reasons.has(snapshot.id)) reasons.set(snapshot.id, reason)
  }
  keep(newestFirst.find((snapshot) => timeOf(snapshot) <= now.getTime()) ?? newestFirst[0], 'the newest')
  for (const snapshot of snapshots) {
    const always = protect.get(snapshot.id) ?? ownReason(snapshot, now)
    if (always) keep(snapshot, always)
  }
  keep(
    newestFirst.find((snapshot) => snapshot.verified?.outcome === 'passed'),
    'the newest that passed its proof',
  )
  for (const snapshot of newestFirst.slice(0, Math.max(0, policy.last)))
    keep(snapshot, `one of the last ${policy.last}`)
  for (const [key, word, bucketOf] of BUCKETS) {
    const seen = new Set<number>()
    for (const snapshot of newestFirst) {
      const bucket = bucketOf(timeOf(snapshot))
      if (seen.has(bucket)) continue
      if (seen.size >= policy[key]) break
      seen.add(bucket)
      keep(snapshot, `the newest of its ${word}`)
    }
  }
  const dropped = newestFirst.filter((snapshot) => !reasons.has(snapshot.id))
  return {
    keep: [...reasons].map(([id, reason]) => ({ id, reason })),
    drop: dropped.map(({ id }) => ({ id, reason: 'newer ones of its time stay' })).reverse(),
  }
}

/** The recorded time, else the one that every id begins with. */
function timeOf({ createdAt, id }: Snapshot): number {
  const recorded = Date.parse(createdAt)
  if (!Number.isNaN(recorded)) return recorded
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'))
}

function ownReason(snapshot: Snapshot, now: Date): string | null {
  if (snapshot.pinned) return 'pinned'
  if (snapshot.label !== '') return 'labelled'
  if (snapshot.status === 'in-doubt') return 'in doubt'
  return timeOf(snapshot) > now.getTime() ? 'its time lies ahead' : null
}
