import type { Bottle } from '../../src-preload/contract/entities.ts'
import { t } from '../ui/en.ts'
import { agentLook, agentName } from './bottle-look.ts'

export type ContextTone = 'calm' | 'wait' | 'bad'

/** From these percents on a conversation is nearly full, and as good as full. */
const NEARLY_FULL = 70
const FULL = 85

/** How full a context is, as a tone: amber from 70 percent, red from 85. Pure. */
export function contextTone(percent: number): ContextTone {
  if (percent >= FULL) return 'bad'
  return percent >= NEARLY_FULL ? 'wait' : 'calm'
}

/** What a row tells of the context: its percent, that a running agent's is not known, or nothing. Pure. */
export function contextOf({ health, state }: Pick<Bottle, 'health' | 'state'>): number | 'unknown' | null {
  if (!health) return null
  return health.contextPercent ?? (state === 'running' ? 'unknown' : null)
}

const DATE = /-(?:\d{8}|\d{4}-\d{2}-\d{2})(?=\[|$)/
const CLAUDE = /^claude-(?:([a-z]+)-([\d-]+)|([\d-]+)-([a-z]+))(-latest)?$/

/** "Opus 4.5" for "claude-opus-4-5-20251101"; names of other makers lose only their date. Pure. */
export function modelName(model: string): string {
  const isWide = /\[1m\]$/i.test(model)
  const plain = model.replace(/\[[^\]]*\]$/, '').replace(DATE, '')
  const parts = CLAUDE.exec(plain)
  const family = parts?.[1] ?? parts?.[4]
  const version = parts?.[2] ?? parts?.[3]
  const name =
    family && version
      ? `${family.charAt(0).toUpperCase()}${family.slice(1)} ${version.replaceAll('-', '.')}`
      : plain
  return isWide ? `${name} ${t.health.wide}` : name
}

/** A choice of the agent filter: `state:…`, `agent:…` or `model:…`; empty for all. */
export function isOfAgent(bottle: Bottle, filter: string): boolean {
  if (!filter) return true
  const value = filter.slice(filter.indexOf(':') + 1)
  if (filter.startsWith('state:')) return bottle.state === 'running' && bottle.agentState === value
  if (filter.startsWith('model:')) return bottle.health?.model === value
  return agentName(bottle) === value
}

export interface AgentChoice {
  readonly value: string
  readonly label: string
}

/** What the agent filter offers for these bottles, by kind, each in the order of its words. Pure. */
export function agentChoices(
  bottles: readonly Bottle[],
): Readonly<Record<'states' | 'agents' | 'models', readonly AgentChoice[]>> {
  const states = new Map<string, string>()
  const agents = new Map<string, string>()
  const models = new Map<string, string>()
  for (const bottle of bottles) {
    const look = bottle.state === 'running' ? agentLook(bottle.agentState) : null
    if (look) states.set(`state:${bottle.agentState}`, look.word)
    agents.set(`agent:${agentName(bottle)}`, agentName(bottle))
    const model = bottle.health?.model
    if (model) models.set(`model:${model}`, modelName(model))
  }
  const sorted = (found: ReadonlyMap<string, string>): readonly AgentChoice[] =>
    [...found]
      .map(([value, label]) => ({ value, label }))
      .sort((a, b) => a.label.localeCompare(b.label) || a.value.localeCompare(b.value))
  return { states: sorted(states), agents: sorted(agents), models: sorted(models) }
}
