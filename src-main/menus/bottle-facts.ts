import type { Bottle, StateSnapshot, Task } from '../../src-preload/contract/index.ts'

/** True when the agent can't go on without a person. */
export function isWaiting(bottle: Bottle): boolean {
  return bottle.state === 'running' && NEEDS_A_PERSON.has(bottle.agentState)
}

const NEEDS_A_PERSON: ReadonlySet<Bottle['agentState']> = new Set([
  'waiting',
  'limited',
  'signed-out',
  'stuck',
])

/** Why a bottle is as it is, in words: what its agent asks or what its engine says; null for nothing to tell. */
export function reasonOf(bottle: Pick<Bottle, 'stateReason' | 'health'>): string | null {
  return bottle.stateReason ?? bottle.health?.reason ?? null
}

/** True while the bottle uses its engine. */
export function isRunning(bottle: Bottle): boolean {
  return ['starting', 'running', 'paused'].includes(bottle.state)
}

export function canFreeze(bottle: Bottle): boolean {
  return (
    ['running', 'paused', 'stopped', 'failed'].includes(bottle.state) && !bottle.badges.includes('foreign')
  )
}

export function canResume(bottle: Bottle): boolean {
  return ['frozen', 'stopped', 'failed'].includes(bottle.state) && !bottle.badges.includes('newer-version')
}

export function canStop(bottle: Bottle): boolean {
  return ['starting', 'running', 'paused'].includes(bottle.state)
}

/** Tasks at work that a person should know of; files made ready ahead of a drag are nobody's business. */
export function visibleTasks(state: Pick<StateSnapshot, 'tasks'>): readonly Task[] {
  return state.tasks.filter((task) => task.state === 'running' && isVisible(task))
}

/** False for work that nobody asked for. */
export function isVisible(task: Task): boolean {
  return task.kind !== 'prepare'
}

/** Slugs that an operation under way holds. */
export function heldSlugs(state: Pick<StateSnapshot, 'tasks'>): ReadonlySet<string> {
  return new Set(
    state.tasks.flatMap((task) =>
      task.state === 'running' && task.slug !== null && isVisible(task) ? [task.slug] : [],
    ),
  )
}

/** What Freeze all freezes: everything that runs and is not held by an operation. */
export function freezable(state: Pick<StateSnapshot, 'bottles' | 'tasks'>): readonly Bottle[] {
  const held = heldSlugs(state)
  return state.bottles.filter(
    (bottle) =>
      (bottle.state === 'running' || bottle.state === 'paused') &&
      canFreeze(bottle) &&
      !held.has(bottle.slug),
  )
}

const STATE_ORDER: Readonly<Record<Bottle['state'], number>> = {
  starting: 1,
  running: 1,
  paused: 2,
  stopping: 2,
  failed: 3,
  frozen: 4,
  stopped: 4,
  unknown: 5,
}

/** First who needs a person, then what runs, then what rests, the last touched of those first. */
export function byUrgency(bottles: readonly Bottle[]): readonly Bottle[] {
  const order = (bottle: Bottle): number => (isWaiting(bottle) ? 0 : STATE_ORDER[bottle.state])
  const touched = (bottle: Bottle): string => bottle.lastFrozenAt ?? bottle.startedAt
  return [...bottles].sort(
    (a, b) =>
      order(a) - order(b) ||
      (order(a) >= 3 ? touched(b).localeCompare(touched(a)) : 0) ||
      a.slug.localeCompare(b.slug),
  )
}

/** What rests and has a snapshot to resume from, the newest first. A resume freezes newer work before. */
export function recentlyFrozen(bottles: readonly Bottle[]): readonly Bottle[] {
  return bottles
    .filter((bottle) => bottle.currentSnapshot !== null && canResume(bottle))
    .sort(
      (a, b) => (b.lastFrozenAt ?? '').localeCompare(a.lastFrozenAt ?? '') || a.slug.localeCompare(b.slug),
    )
}

export interface Counts {
  readonly all: number
  readonly running: number
  readonly waiting: number
}

export function countBottles(bottles: readonly Bottle[]): Counts {
  return {
    all: bottles.length,
    running: bottles.filter(isRunning).length,
    waiting: bottles.filter(isWaiting).length,
  }
}

/** Engines that have bottles and don't answer. */
export function silentEngines(state: Pick<StateSnapshot, 'bottles' | 'engines'>): readonly string[] {
  return state.engines
    .filter(
      (engine) => engine.state !== 'ready' && state.bottles.some((bottle) => bottle.backend === engine.name),
    )
    .map((engine) => engine.title)
}
