import type { Bottle, StateSnapshot } from '../../src-preload/contract/index.ts'
import { freezable } from './bottle-facts.ts'
import { oneLine } from './menu-text.ts'

/** What the machine is about to do, or in what state it is. */
export type PowerEvent = 'sleep' | 'low-battery' | 'shutdown'

interface PowerRule {
  readonly setting: 'freezeOnSleep' | 'freezeOnLowBattery' | 'freezeOnShutdown'
  /** The note of each snapshot, so that people see why it is there. */
  readonly note: string
}

export const POWER_RULES: Readonly<Record<PowerEvent, PowerRule>> = {
  sleep: { setting: 'freezeOnSleep', note: 'Before sleep' },
  'low-battery': { setting: 'freezeOnLowBattery', note: 'Low battery' },
  shutdown: { setting: 'freezeOnShutdown', note: 'Before shutdown' },
}

/**
 * Milliseconds in which freezes may still begin; at a shutdown also in which they must end. Linux kills after five
 * seconds (logind's InhibitDelayMaxSec), a Mac is patient for longer. What has begun before a sleep goes on after it.
 */
export function powerBudget(event: PowerEvent, platform: string): number {
  if (event === 'low-battery') return 120_000
  return event === 'shutdown' && platform === 'linux' ? 4000 : 8000
}

/** Slugs to freeze for an event, in order; none when the rule is off. What does not run is never touched. Pure. */
export function powerPlan(
  event: PowerEvent,
  settings: Readonly<Record<string, unknown>>,
  state: Pick<StateSnapshot, 'bottles' | 'tasks'>,
): readonly string[] {
  if (settings[POWER_RULES[event].setting] !== true) return []
  return [...freezable(state)].sort(byStake).map(({ slug }) => slug)
}

/** Most at stake first: who works just now, who was never frozen, then who was frozen the longest ago. */
function byStake(a: Bottle, b: Bottle): number {
  const works = (bottle: Bottle): number =>
    bottle.state === 'running' && bottle.agentState === 'working' ? 0 : 1
  const frozen = (bottle: Bottle): string => bottle.lastFrozenAt ?? ''
  return (
    works(a) - works(b) ||
    frozen(a).localeCompare(frozen(b)) ||
    b.startedAt.localeCompare(a.startedAt) ||
    a.slug.localeCompare(b.slug)
  )
}

/** A bottle that a rule should have frozen, and why it did not. */
export interface Missed {
  readonly slug: string
  /** Null: there was no time left. */
  readonly problem: string | null
}

const EVENTS: Readonly<Record<PowerEvent, string>> = {
  sleep: 'before the computer slept',
  'low-battery': 'while the battery is low',
  shutdown: 'before the computer shut down',
}

/** What is told of bottles that a rule did not reach, or null when it reached all. Pure. */
export function missedText(event: PowerEvent, missed: readonly Missed[]): string | null {
  const [first] = missed
  if (!first) return null
  const names = missed.map(({ slug }) => oneLine(slug))
  const shown = names.slice(0, 3).join(', ')
  const list = names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
  const verb = names.length === 1 ? 'was' : 'were'
  const why = missed.every(({ problem }) => problem === null)
    ? ': there was no time left.'
    : `: ${oneLine(missed.find(({ problem }) => problem !== null)?.problem ?? '', 200)}`
  return `${list} ${verb} not frozen ${EVENTS[event]}${why}`
}

export interface BatteryReading {
  readonly percent: number
  readonly isDischarging: boolean
}

/** Percent above the limit at which a battery counts as charged again, so that one around the limit tells once. */
const RECOVERED = 5

/** Whether the battery became low with this reading, and whether it is. Pure. */
export function batteryAfter(
  wasLow: boolean,
  reading: BatteryReading | null,
  limit: number,
): { readonly isLow: boolean; readonly became: boolean } {
  if (!reading) return { isLow: wasLow, became: false }
  if (!reading.isDischarging || reading.percent > limit + RECOVERED) return { isLow: false, became: false }
  const isLow = wasLow || reading.percent <= limit
  return { isLow, became: isLow && !wasLow }
}
