import type { ContainerEntry } from './decode.ts'

/** How long a look counts: enough for one operation's questions, too short for anybody to act in between. */
const LOOK_MS = 1000

/**
 * What the engine's containers looked like a moment ago. One operation asks the same several times (is it there, has it
 * changed, whose is it), and each question is a process.
 */
export interface Looks {
  /** Undefined when the last look is too old; null when there was no such container. */
  recent(id: string, maxAgeMs?: number): ContainerEntry | null | undefined
  /** @param askedAt `performance.now()` before the call, which is what the answer is as old as */
  seen(id: string, entry: ContainerEntry | null, askedAt: number): void
  seenAll(entries: readonly ContainerEntry[], askedAt: number): void
  forget(): void
  /** Questions on their way, by container. */
  readonly asking: Map<string, Promise<ContainerEntry | null>>
}

export function createLooks(now: () => number = () => performance.now()): Looks {
  const single = new Map<string, { readonly entry: ContainerEntry | null; readonly at: number }>()
  let all: { readonly entries: ReadonlyMap<string, ContainerEntry>; readonly at: number } | null = null
  return {
    asking: new Map(),
    recent(id, maxAgeMs = LOOK_MS) {
      const isFresh = (look: { readonly at: number }) => now() - look.at < maxAgeMs
      const one = single.get(id)
      const whole = all && isFresh(all) ? { entry: all.entries.get(id) ?? null, at: all.at } : null
      const known = [one && isFresh(one) ? one : null, whole].filter((look) => look !== null)
      return known.toSorted((a, b) => b.at - a.at)[0]?.entry
    },
    seen(id, entry, askedAt) {
      if (single.size > 1000) single.clear()
      single.set(id, { entry, at: askedAt })
    },
    seenAll(entries, askedAt) {
      all = { entries: new Map(entries.map((entry) => [entry.id, entry])), at: askedAt }
    },
    forget() {
      single.clear()
      all = null
    },
  }
}
