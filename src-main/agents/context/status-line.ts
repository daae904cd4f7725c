import { fields, numberOf, textOf, timeOf, type UsageFacts } from './usage-facts.ts'

const LIMIT_NAMES: readonly (readonly [key: string, name: string])[] = [
  ['five_hour', '5h'],
  ['seven_day', '7d'],
]

/** Reads the JSON that claude gives its status line command. Null for anything else. Pure. */
export function readStatusLine(text: string): UsageFacts | null {
  let status: ReturnType<typeof fields>
  try {
    status = fields(JSON.parse(text))
  } catch {
    return null
  }
  const context = fields(status.context_window)
  const usage = fields(context.current_usage)
  const input = numberOf(usage.input_tokens)
  const tokens =
    input === undefined
      ? undefined
      : input +
        (numberOf(usage.cache_read_input_tokens) ?? 0) +
        (numberOf(usage.cache_creation_input_tokens) ?? 0)
  const window = numberOf(context.context_window_size)
  const percent = numberOf(context.used_percentage)
  const model = textOf(fields(status.model).id)
  const sessionId = textOf(status.session_id)
  const costUsd = numberOf(fields(status.cost).total_cost_usd)
  const limits = LIMIT_NAMES.flatMap(([key, name]) => {
    const limit = fields(fields(status.rate_limits)[key])
    const usedPercent = numberOf(limit.used_percentage)
    const resets = timeOf(limit.resets_at)
    const resetsAt = resets === undefined ? null : new Date(resets).toISOString()
    return usedPercent === undefined ? [] : [{ name, usedPercent, resetsAt }]
  })
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(window === undefined || window <= 0 ? {} : { window }),
    ...(percent === undefined ? {} : { percent }),
    ...(model === undefined ? {} : { model }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(limits.length === 0 ? {} : { limits }),
  }
}
