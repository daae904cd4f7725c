import type { Bottle } from '../../src-preload/contract/entities.ts'
import { type Look, withLook } from '../health/trend.ts'
import type { Store } from './create-store.ts'
import type { Model } from './model.ts'

/** What this page has seen of contexts, by run; it knows nothing from before it was opened. */
export interface Looks {
  of(bottle: Pick<Bottle, 'slug' | 'runId'>): readonly Look[]
}

/** Notes each new look at an agent as its row changes. Costs one comparison per bottle and patch. */
export function watchLooks(model: Store<Model>): Looks {
  const looks = new Map<string, readonly Look[]>()
  let seen: Model['bottles'] = new Map()
  const note = () => {
    const { bottles } = model.get()
    if (bottles === seen) return
    for (const [slug, bottle] of bottles) {
      if (bottle === seen.get(slug) || !bottle.health || !bottle.runId) continue
      const { contextPercent, seenAt } = bottle.health
      if (contextPercent === null) continue
      const look = { at: Date.parse(seenAt), percent: contextPercent }
      const key = keyOf(bottle)
      looks.set(key, withLook(looks.get(key) ?? [], look))
    }
    seen = bottles
    const runs = new Set([...bottles.values()].map(keyOf))
    for (const key of looks.keys()) if (!runs.has(key)) looks.delete(key)
  }
  model.subscribe(note)
  note()
  return { of: (bottle) => looks.get(keyOf(bottle)) ?? [] }
}

function keyOf({ slug, runId }: Pick<Bottle, 'slug' | 'runId'>): string {
  return `${slug} ${runId}`
}
