import type { Bottle } from '../../src-preload/contract/entities.ts'
import { t } from '../ui/en.ts'
import { capital } from '../ui/format.ts'
import type { IconName } from '../ui/icons.tsx'

export type Tone = 'run' | 'wait' | 'ice' | 'bad' | 'off' | 'busy' | 'unknown'

/** How a state is shown: always a shape and a word with the colour. */
export interface Look {
  readonly tone: Tone
  readonly icon: IconName
  readonly word: string
  /** Sorting by state puts first what needs a person, then what runs, then what rests. */
  readonly order: number
}

const AGENT_LOOKS: Readonly<Record<NonNullable<Bottle['agentState']>, Look>> = {
  waiting: { tone: 'wait', icon: 'waiting', word: t.state.waiting, order: 0 },
  stuck: { tone: 'bad', icon: 'warning', word: t.state.stuck, order: 0.1 },
  'signed-out': { tone: 'wait', icon: 'locked', word: t.state['signed-out'], order: 0.2 },
  limited: { tone: 'wait', icon: 'hourglass', word: t.state.limited, order: 1 },
  working: { tone: 'run', icon: 'play', word: t.state.working, order: 3 },
  exited: { tone: 'off', icon: 'check', word: t.state.exited, order: 4 },
}

const STATE_LOOKS: Readonly<Record<Bottle['state'], Look>> = {
  starting: { tone: 'busy', icon: 'busy', word: t.state.starting, order: 2 },
  running: { tone: 'run', icon: 'play', word: t.state.running, order: 3 },
  stopping: { tone: 'busy', icon: 'busy', word: t.state.stopping, order: 4 },
  paused: { tone: 'wait', icon: 'pause', word: t.state.paused, order: 5 },
  failed: { tone: 'bad', icon: 'cross', word: t.state.failed, order: 6 },
  unknown: { tone: 'unknown', icon: 'question', word: t.state.unknown, order: 7 },
  frozen: { tone: 'ice', icon: 'snow', word: t.state.frozen, order: 8 },
  stopped: { tone: 'off', icon: 'stop', word: t.state.stopped, order: 9 },
}

/** The look of a bottle; an operation under way comes first. */
export function lookOf(bottle: Bottle, doing: string | null): Look {
  const resting =
    bottle.state === 'running' && bottle.agentState
      ? AGENT_LOOKS[bottle.agentState]
      : STATE_LOOKS[bottle.state]
  return doing ? { ...resting, tone: 'busy', icon: 'busy', word: t.doingWord(doing) } : resting
}

/** True while something of the bottle runs on its engine. */
export function isActive(bottle: Pick<Bottle, 'state'>): boolean {
  return ['starting', 'running', 'paused', 'stopping'].includes(bottle.state)
}

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

/** "Docker", "This Mac". The server's platform counts, not the page's. */
export function backendName(backend: string, platform: string): string {
  if (backend === 'host') return platform === 'darwin' ? 'This Mac' : (t.backend.host ?? backend)
  return t.backend[backend] ?? backend
}

/** The agent by the name that people know: its provider's, or its own where that says more. */
export function agentName(bottle: Pick<Bottle, 'agent' | 'provider'>): string {
  if (bottle.provider && bottle.provider !== 'custom')
    return t.provider[bottle.provider] ?? capital(bottle.provider)
  return capital(bottle.agent) || '–'
}

/** The line below the name: what would puzzle first, else where it came from and what is kept. */
export function sentenceOf(bottle: Bottle): string {
  const parts: string[] = []
  const reason = reasonOf(bottle)
  if (reason) parts.push(reason)
  else if (bottle.state === 'failed' && bottle.exitCode) parts.push(t.list.exited(bottle.exitCode))
  if (bottle.parent) parts.push(t.list.forkOf(bottle.parent.split('@')[0] ?? bottle.parent))
  if (parts.length === 0 || !reason) parts.push(t.list.snapshots(bottle.snapshots))
  return parts.join(' · ')
}

/** Why a bottle is as it is: that its agent is not restarted any more, what its agent asks, what its engine says. */
export function reasonOf(
  bottle: Pick<Bottle, 'state' | 'agentState' | 'stateReason' | 'health'>,
): string | null {
  const { health } = bottle
  if (health?.restarts.gaveUp) return t.health.gaveUpShort(health.restarts.gaveUp)
  if (health?.restarts.nextAt && !isActive(bottle)) return t.health.restartDue
  const isIdle = health && bottle.state === 'running' && bottle.agentState === 'waiting'
  return bottle.stateReason ?? health?.reason ?? (isIdle ? t.health.idle : null)
}

/** The agent's look where it stands for itself; null while nothing is known of it. */
export function agentLook(state: Bottle['agentState']): Look | null {
  return state && AGENT_LOOKS[state]
}

const COLORS: Readonly<Record<string, string>> = {
  red: '#e5484d',
  orange: '#f2711c',
  yellow: '#e2a400',
  green: '#2fa968',
  cyan: '#12a5c4',
  blue: '#3b82f6',
  purple: '#8b5cf6',
  pink: '#e0569b',
}
export const COLOR_NAMES: readonly string[] = Object.keys(COLORS)

/** The CSS colour of a label colour; null for none or for what is not a colour. */
export function labelColor(color: string): string | null {
  const known = COLORS[color.toLowerCase()]
  if (known) return known
  return /^#[0-9a-f]{3}([0-9a-f]{3})?$/i.test(color) ? color : null
}
