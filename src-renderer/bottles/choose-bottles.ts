import type { Bottle } from '../../src-preload/contract/entities.ts'
import type { ListTab, Sort } from '../state/view.ts'
import { isOfAgent, modelName } from './agent-look.ts'
import { agentName, isActive, isWaiting, lookOf, reasonOf } from './bottle-look.ts'

const IS_IN_TAB: Readonly<Record<ListTab, (bottle: Bottle) => boolean>> = {
  all: () => true,
  running: isActive,
  waiting: isWaiting,
  frozen: (bottle) => bottle.state === 'frozen',
  stopped: (bottle) => bottle.state === 'stopped' || bottle.state === 'failed',
}

/** How many bottles each tab holds. */
export function countTabs(bottles: readonly Bottle[]): Readonly<Record<ListTab, number>> {
  const counts = { all: bottles.length, running: 0, waiting: 0, frozen: 0, stopped: 0 }
  for (const bottle of bottles) {
    if (IS_IN_TAB.running(bottle)) counts.running += 1
    if (IS_IN_TAB.waiting(bottle)) counts.waiting += 1
    if (IS_IN_TAB.frozen(bottle)) counts.frozen += 1
    if (IS_IN_TAB.stopped(bottle)) counts.stopped += 1
  }
  return counts
}

const haystacks = new WeakMap<Bottle, string>()

/** All searchable text of a bottle; built once per version of the row. */
function haystackOf(bottle: Bottle): string {
  const known = haystacks.get(bottle)
  if (known !== undefined) return known
  const { slug, label, color, agent, provider, backend, engine, state, parent, badges } = bottle
  const model = bottle.health?.model
  const text = [slug, label, color, agent, provider, backend, engine, state, parent, ...badges]
    .concat(lookOf(bottle, null).word, reasonOf(bottle), model ? [model, modelName(model)] : [])
    .join(' ')
    .toLowerCase()
  haystacks.set(bottle, text)
  return text
}

export interface Choice {
  readonly tab: ListTab
  /** Words that must all occur somewhere. */
  readonly query: string
  /** Backend name, or empty for all. */
  readonly engine: string
  /** State, name or model of agents as `isOfAgent` reads it, or empty for all. */
  readonly agent: string
  readonly sort: Sort
}

/** The rows to show, in order; rows are the same objects that came in. */
export function chooseBottles(bottles: readonly Bottle[], choice: Choice): readonly Bottle[] {
  const words = choice.query.toLowerCase().split(/\s+/).filter(Boolean)
  const chosen = bottles.filter(
    (bottle) =>
      IS_IN_TAB[choice.tab](bottle) &&
      (!choice.engine || bottle.backend === choice.engine) &&
      isOfAgent(bottle, choice.agent) &&
      words.every((word) => haystackOf(bottle).includes(word)),
  )
  const sign = choice.sort.isDescending ? -1 : 1
  const compare = COMPARE[choice.sort.key]
  return chosen.sort((a, b) => sign * compare(a, b) || byNewest(a, b) || byText(a.slug, b.slug))
}

const collator = new Intl.Collator(undefined, { numeric: true })
const byText = (a: string, b: string) => (a === b ? 0 : collator.compare(a, b))
const byNewest = (a: Bottle, b: Bottle) => byPlain(b.startedAt, a.startedAt)
const byPlain = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const COMPARE: Readonly<Record<Sort['key'], (a: Bottle, b: Bottle) => number>> = {
  state: (a, b) => lookOf(a, null).order - lookOf(b, null).order,
  name: (a, b) => byText(a.slug, b.slug),
  agent: (a, b) => byText(agentName(a), agentName(b)),
  model: (a, b) => byText(a.health?.model ?? '', b.health?.model ?? ''),
  // What nobody knows counts as less than nothing, and what is not looked after as less than that.
  context: (a, b) => contextRank(a) - contextRank(b),
  engine: (a, b) => byText(a.engine || a.backend, b.engine || b.backend),
  snapshots: (a, b) => a.snapshots - b.snapshots,
  size: (a, b) => (a.bytes ?? -1) - (b.bytes ?? -1),
  frozen: (a, b) => byPlain(a.lastFrozenAt ?? '', b.lastFrozenAt ?? ''),
  started: (a, b) => byPlain(a.startedAt, b.startedAt),
}

function contextRank({ health }: Bottle): number {
  return health ? (health.contextPercent ?? -1) : -2
}
