import { countOf, fields, nameOf, numberOf, shareOf, timeOf, type UsageFacts } from './usage-facts.ts'

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
  const input = countOf(usage.input_tokens)
  const tokens =
    input === undefined
      ? undefined
      : input +
        (countOf(usage.cache_read_input_tokens) ?? 0) +
        (countOf(usage.cache_creation_input_tokens) ?? 0)
  const window = countOf(context.context_window_size)
  const percent = shareOf(context.used_percentage)
  const model = nameOf(fields(status.model).id)
  const sessionId = nameOf(status.session_id)
  const costUsd = numberOf(fields(status.cost).total_cost_usd)
  const limits = LIMIT_NAMES.flatMap(([key, name]) => {
    const limit = fields(fields(status.rate_limits)[key])
    const usedPercent = shareOf(limit.used_percentage)
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
