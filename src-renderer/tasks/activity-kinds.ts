import type { ActivityEntry } from '../../src-preload/contract/agents.ts'

export const ACTIVITY_KINDS = ['all', 'life', 'freeze', 'hook', 'care'] as const
export type ActivityKind = (typeof ACTIVITY_KINDS)[number]

const KIND_OF: Readonly<Record<string, ActivityKind>> = {
  freeze: 'freeze',
  verify: 'freeze',
  'delete snapshot': 'freeze',
  thin: 'freeze',
  hook: 'hook',
  supervise: 'care',
  health: 'care',
  context: 'care',
}

/** Which kind an operation is of; what nobody knows belongs to the life of the bottle. Pure. */
export function kindOf(op: string): ActivityKind {
  return KIND_OF[op] ?? 'life'
}

/** The entries of a kind and of a bottle; an empty slug means all of them. Pure. */
export function chooseActivity(
  entries: readonly ActivityEntry[],
  kind: ActivityKind,
  slug: string,
): readonly ActivityEntry[] {
  return entries.filter(
    (entry) => (kind === 'all' || kindOf(entry.op) === kind) && (!slug || entry.slug === slug),
  )
}

/** The same entries each with a key of its own, that stays while newer ones come in front. Pure. */
export function keyed(
  entries: readonly ActivityEntry[],
): readonly { readonly key: string; readonly entry: ActivityEntry }[] {
  const seen = new Map<string, number>()
  return entries
    .toReversed()
    .map((entry) => {
      const text = `${entry.at} ${entry.slug} ${entry.op} ${entry.outcome}`
      const count = seen.get(text) ?? 0
      seen.set(text, count + 1)
      return { key: `${text} ${count}`, entry }
    })
    .reverse()
}
