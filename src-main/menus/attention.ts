import type { StateSnapshot } from '../../src-preload/contract/index.ts'
import { countBottles, isVisible } from './bottle-facts.ts'

type Seen = Pick<StateSnapshot, 'bottles' | 'tasks'>

/** What went wrong while nobody looked: names of bottles, or ids of tasks that have none. */
export interface Attention {
  readonly failed: ReadonlySet<string>
}

export const CALM: Attention = { failed: new Set() }

/** What still needs a look after a change. A look at the window settles everything. Pure. */
export function attentionAfter(attention: Attention, before: Seen, now: Seen, isLooking: boolean): Attention {
  if (isLooking) return attention.failed.size > 0 ? CALM : attention
  const failed = new Set(attention.failed)
  const old = new Map(before.tasks.map((task) => [task.id, task.state]))
  for (const task of now.tasks) {
    const isNew = task.state !== 'running' && (old.get(task.id) ?? 'running') === 'running'
    if (!isNew || !isVisible(task)) continue
    // What was done once more and went well needs no look any longer.
    if (task.state === 'failed') failed.add(task.slug ?? task.id)
    else if (task.state === 'done' && task.slug !== null) failed.delete(task.slug)
  }
  const states = new Map(before.bottles.map((bottle) => [bottle.slug, bottle.state]))
  for (const { slug, state } of now.bottles) {
    const was = states.get(slug)
    if (was === undefined || was === state) continue
    if (state === 'failed') failed.add(slug)
    else if (was === 'failed') failed.delete(slug)
  }
  for (const slug of states.keys())
    if (failed.has(slug) && !now.bottles.some((bottle) => bottle.slug === slug)) failed.delete(slug)
  const isSame = failed.size === attention.failed.size && [...failed].every((id) => attention.failed.has(id))
  return isSame ? attention : { failed }
}

/** The number on the app's icon: bottles that wait and failures nobody has seen. Pure. */
export function badgeCount(state: Pick<StateSnapshot, 'bottles'>, attention: Attention): number {
  return countBottles(state.bottles).waiting + attention.failed.size
}
