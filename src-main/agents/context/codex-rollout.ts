import type { UsageLimit } from '../../../src-preload/contract/agents.ts'
import { troubleFact } from './trouble.ts'
import {
  compacted,
  countOf,
  type Fields,
  fields,
  foldRecords,
  items,
  nameOf,
  numberOf,
  shareOf,
  textOf,
  timeOf,
  toolInputText,
  type UsageFacts,
  whole,
} from './usage-facts.ts'

/** Reads records of a codex rollout. Pure. */
export function readCodexRollout(lines: readonly string[], known: UsageFacts): UsageFacts {
  return foldRecords(lines, known, changeOf)
}

function changeOf(record: Fields, at: number | undefined, known: UsageFacts): UsageFacts | null {
  const payload = fields(record.payload)
  switch (record.type) {
    case 'session_meta': {
      const id = nameOf(payload.id)
      return id === undefined ? null : { sessionId: id }
    }
    case 'turn_context': {
      const model = nameOf(payload.model)
      return model === undefined ? null : { model }
    }
    case 'compacted':
      return compacted(known, at)
    case 'event_msg':
      return eventFacts(payload, at, known)
    case 'response_item':
      return itemFacts(payload)
    default:
      return null
  }
}

function eventFacts(event: Fields, at: number | undefined, known: UsageFacts): UsageFacts | null {
  switch (event.type) {
    case 'token_count':
      return tokenFacts(event, at)
    case 'user_message': {
      const words = textOf(event.message)?.trim()
      if (!words) return null
      return { turn: 'prompt', userMessage: whole(words), tool: null, toolInput: null }
    }
    case 'agent_message':
    case 'task_complete':
    case 'turn_aborted':
      return { turn: 'answer' }
    case 'task_started': {
      const window = countOf(event.model_context_window)
      return { turn: 'prompt', ...(window === undefined ? {} : { window }) }
    }
    case 'context_compacted':
      return compacted(known, at)
    case 'error':
    case 'stream_error':
      return { trouble: troubleFact(textOf(event.message) ?? '', undefined) }
    default:
      return null
  }
}

function tokenFacts(event: Fields, at: number | undefined): UsageFacts {
  const info = fields(event.info)
  const last = fields(info.last_token_usage)
  const total = countOf(last.total_tokens)
  const input = countOf(last.input_tokens)
  const tokens = total ?? input
  const window = countOf(info.model_context_window)
  const limits = limitsOf(fields(event.rate_limits), at)
  return {
    ...(tokens === undefined ? {} : { tokens, trouble: null }),
    ...(window === undefined ? {} : { window }),
    ...(limits.length === 0 ? {} : { limits }),
  }
}

function limitsOf(limits: Fields, at: number | undefined): readonly UsageLimit[] {
  return ['primary', 'secondary'].flatMap((key) => {
    const limit = fields(limits[key])
    const usedPercent = shareOf(limit.used_percent)
    if (usedPercent === undefined) return []
    const minutes = numberOf(limit.window_minutes)
    const inSeconds = numberOf(limit.resets_in_seconds)
    const resets =
      timeOf(limit.resets_at) ??
      (inSeconds === undefined || at === undefined ? undefined : timeOf(at + inSeconds * 1000))
    const resetsAt = resets === undefined ? null : new Date(resets).toISOString()
    return [{ name: windowName(minutes) ?? key, usedPercent, resetsAt }]
  })
}

/** `5h`, `7d`. */
function windowName(minutes: number | undefined): string | null {
  if (minutes === undefined || minutes <= 0) return null
  return minutes % 1440 < 2 && minutes >= 1440
    ? `${Math.round(minutes / 1440)}d`
    : `${Math.round(minutes / 60)}h`
}

function itemFacts(item: Fields): UsageFacts | null {
  const isCall = ['function_call', 'custom_tool_call', 'local_shell_call'].includes(String(item.type))
  if (!isCall) {
    const isResult = item.type === 'function_call_output' || item.type === 'custom_tool_call_output'
    return isResult ? { turn: 'tool' } : null
  }
  const name = nameOf(item.name) ?? 'shell'
  return { turn: 'tool', tool: name, toolInput: toolInputText(name, argumentsOf(item)) }
}

function argumentsOf(item: Fields): unknown {
  if (item.type === 'local_shell_call') return { command: items(fields(item.action).command) }
  const given = item.arguments ?? item.input
  if (typeof given !== 'string') return given
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}
