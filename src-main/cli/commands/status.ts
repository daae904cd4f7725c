import type { AgentStatus } from '../../../src-preload/contract/agents.ts'
import { Bottle } from '../../../src-preload/contract/entities.ts'
import { requireSlug } from '../../state/slug.ts'
import type { Face } from '../face.ts'
import { formatPairs } from '../pairs.ts'
import { slugOrPick, withIcebox } from '../session.ts'
import { formatAge } from '../units.ts'
import { statusPairs } from './info.ts'

/** `icebox status`: a bottle and its agent as they were last seen. */
export async function status(face: Face, given: string | undefined): Promise<number> {
  const named = given === undefined ? undefined : requireSlug(given)
  return withIcebox(face, async (icebox) => {
    const slug = await slugOrPick(face, icebox, named)
    const found = await icebox.bottles.status(slug, face.signal)
    const row = Bottle.parse(found)
    await face.result({
      json: found,
      text: statusText(face, row, found, Date.now()),
      essential: row.state,
    })
    return 0
  })
}

/** A status for a person: the bottle, what its agent does, and how fresh that is. Pure. */
export function statusText(
  face: Pick<Face, 'paint' | 'unicode'>,
  row: Bottle,
  found: AgentStatus,
  now: number,
): string {
  return formatPairs([...statusPairs(face, row, now), ...agentPairs(found, now)], face.paint)
}

type Pair = readonly [name: string, value: string]

function agentPairs(found: AgentStatus, now: number): readonly Pair[] {
  const text = (key: string): string => {
    const value = found[key]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const isSeen = text('sampled_at') !== ''
  if (!isSeen) {
    const why =
      found.supervised === true
        ? 'not yet'
        : "it isn't looked after: its definition asks for nothing of the kind"
    return found.status === 'running' ? [['Looked at', why]] : []
  }
  const since = formatAge(text('since') || null, now)
  return [
    ['Since', found.status === 'running' ? since : ''],
    [found.agent_state === 'waiting' ? 'It asks' : 'Because', text('reason')],
    ['Model', text('model') === 'unknown' ? '' : text('model')],
    ['Context', contextText(found)],
    ['Doing', found.agent_state === 'working' ? text('current_task') : ''],
    ['Last told', text('last_user_msg')],
    ['Subagents', found.subagent_count === 0 ? '' : text('subagent_count')],
    ['Limits', limitsText(found.limits, now)],
    ['Cost', typeof found.cost_usd === 'number' ? `$${found.cost_usd.toFixed(2)}` : ''],
    ['Signals', found.status === 'running' ? signalsText(found) : ''],
    ['Restarts', restartsText(found.restarts, now)],
    ['Hooks', hooksText(found.hooks_configured)],
    ['Looked at', `${formatAge(text('sampled_at'), now)}${lateText(found)}`],
  ]
}

function contextText(found: AgentStatus): string {
  const { context_percent: percent, context_window: window, context_tokens: tokens } = found
  if (typeof percent !== 'number') {
    return typeof tokens === 'number' ? `${tokens} tokens of a window that is not known` : 'unknown'
  }
  const of = typeof window === 'number' ? ` of ${formatTokens(window)} tokens` : ''
  const rule = fields(found.context_management)
  const plan =
    typeof rule.strategy === 'string' && typeof rule.trigger_at_percent === 'number'
      ? `; ${rule.strategy} at ${rule.trigger_at_percent} %`
      : ''
  return `${percent} %${of}${plan}`
}

/** `200k`, `1M`. */
function formatTokens(tokens: number): string {
  if (tokens >= 1_000_000) return `${Math.round(tokens / 10_000) / 100}M`
  return tokens >= 1000 ? `${Math.round(tokens / 1000)}k` : String(tokens)
}

function limitsText(limits: unknown, now: number): string {
  if (!Array.isArray(limits)) return ''
  return limits
    .map(fields)
    .map(({ name, used_percent: used, resets_at: resets }) => {
      const until = typeof resets === 'string' ? Date.parse(resets) - now : Number.NaN
      const when = until > 0 ? `, free again in ${spanText(until)}` : ''
      return `${String(name)} ${String(used)} %${when}`
    })
    .join(' · ')
}

function spanText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}

const SIGNALS = ['alive', 'responsive', 'signed_in', 'waiting', 'limited', 'stuck'] as const

function signalsText(found: AgentStatus): string {
  return SIGNALS.map((name) => `${name.replace('_', ' ')}: ${String(found[name])}`).join(', ')
}

function restartsText(restarts: unknown, now: number): string {
  const { count, next_at: next, gave_up: gaveUp } = fields(restarts)
  if (typeof gaveUp === 'string') return `given up: ${gaveUp}`
  const due = typeof next === 'string' ? Date.parse(next) - now : Number.NaN
  const soon = Number.isNaN(due) ? '' : `, the next in ${Math.max(0, Math.ceil(due / 1000))} s`
  return typeof count === 'number' && (count > 0 || soon !== '') ? `${count} of late${soon}` : ''
}

function hooksText(hooks: unknown): string {
  return Object.entries(fields(hooks))
    .filter(([, count]) => typeof count === 'number' && count > 0)
    .map(([point, count]) => `${point} ${String(count)}`)
    .join(', ')
}

/** An agent that waits is not looked at again until something comes from it. */
function lateText(found: AgentStatus): string {
  const age = found.sample_age_s
  return found.status === 'running' && found.agent_state === 'working' && typeof age === 'number' && age > 300
    ? ' (nobody seems to look after it now)'
    : ''
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
