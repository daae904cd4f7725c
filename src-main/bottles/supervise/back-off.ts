import type { Lifecycle } from '../../agents/lifecycle.ts'

type Policy = Lifecycle['restart']

/** How an agent's run ended. */
export interface RunEnd {
  /** Null when nobody can tell, as after a reboot or a kill. */
  readonly code: number | null
  /** A person or a program asked for it. */
  readonly isStopped: boolean
  /** Milliseconds since 1970. */
  readonly at: number
}

/** Why a run is not begun again by rule; null when it is. Pure. */
export function staysEnded(policy: Policy, end: RunEnd): string | null {
  if (policy.policy === 'never') return 'its definition asks for no restarts'
  if (end.isStopped) return 'it was stopped'
  if (policy.policy === 'on-failure' && end.code === 0) return 'it ended well'
  return null
}

/** The tries that still count: those within the rolling window. Pure. */
export function countedTries(policy: Policy, tries: readonly number[], now: number): readonly number[] {
  const from = now - policy.windowSeconds * 1000
  return tries.filter((at) => at > from && at <= now)
}

/** Milliseconds before the next try after so many in a row. `random` is 0 to 1. Pure. */
export function waitBefore(policy: Policy, tries: number, random: number): number {
  const grown = policy.initialSeconds * policy.multiplier ** tries
  const whole = Math.min(grown, policy.maxSeconds) * 1000
  return Math.round(whole * (1 - policy.jitter * (1 - random)))
}

/** Seconds that a run has to go on at least to count as healthy, however short its waits are. */
const HEALTHY_SECONDS = 60

/** True when a run went on so long that earlier failures say nothing of the next. Pure. */
export function wasHealthy(policy: Policy, ranMs: number): boolean {
  return ranMs >= Math.max(policy.maxSeconds, HEALTHY_SECONDS) * 1000
}

export type RestartChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly at: number; readonly tries: readonly number[] }
  | { readonly kind: 'give-up'; readonly reason: string }

/** What an end leads to. `ranMs`: how long the run had gone on. Pure. */
export function chooseRestart(
  policy: Policy,
  end: RunEnd,
  ranMs: number,
  tries: readonly number[],
  now: number,
  random: number,
): RestartChoice {
  if (staysEnded(policy, end) !== null) return { kind: 'none' }
  if (now - end.at > policy.windowSeconds * 1000) {
    return { kind: 'give-up', reason: 'it ended long ago, while nobody looked after it' }
  }
  const counted = wasHealthy(policy, ranMs) ? [] : countedTries(policy, tries, now)
  if (counted.length >= policy.maxRetries) {
    const minutes = Math.round(policy.windowSeconds / 60)
    const reason =
      counted.length === 0
        ? 'its definition allows no retries'
        : `it was restarted ${counted.length} ${counted.length === 1 ? 'time' : 'times'} within ${minutes} minutes and ended again`
    return { kind: 'give-up', reason }
  }
  return { kind: 'wait', at: now + waitBefore(policy, counted.length, random), tries: counted }
}
