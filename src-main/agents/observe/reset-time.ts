const HOUR = 3_600_000
const DAY = 24 * HOUR

const UNITS: readonly (readonly [pattern: RegExp, ms: number])[] = [
  [/(\d+)\s*(?:days?|d)\b/i, DAY],
  [/(\d+)\s*(?:hours?|hrs?|h)\b/i, HOUR],
  [/(\d+)\s*(?:minutes?|mins?|m)\b/i, 60_000],
]

/**
 * When a limit's text says that it ends, in milliseconds since 1970: `resets 8pm (Europe/Berlin)`, `try again in 3
 * hours 12 minutes`, `limit reached|1766000000`. Null when it doesn't say, or not in which zone. Pure.
 * @param seenAt when the text appeared
 */
export function resetTime(text: string, seenAt: number): number | null {
  const stamp = /\|(\d{10})\b/.exec(text)
  if (stamp) return Number(stamp[1]) * 1000
  const within = /\bin\s+((?:\d+\s*[a-z]+[\s,]*(?:and\s+)?)+)/i.exec(text)
  if (within) {
    const wait = UNITS.reduce(
      (sum, [pattern, ms]) => sum + Number(pattern.exec(within[1] ?? '')?.[1] ?? 0) * ms,
      0,
    )
    if (wait > 0) return wait < 366 * DAY ? seenAt + wait : null
  }
  const clock =
    /\b(?:resets?|reset at|again at)\s+(\d{1,2})(?::(\d{2}))?\s*(am|pm)\s*\(([A-Za-z_+\-/]+)\)/i.exec(text)
  if (!clock) return null
  const [, hour = '', minute = '0', half = '', zone = ''] = clock
  const minutes = ((Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)) * 60 + Number(minute)
  return nextAt(minutes, zone, seenAt)
}

/** The next moment at which a zone's clocks show that many minutes after midnight. */
function nextAt(minutes: number, zone: string, seenAt: number): number | null {
  const shown = minutesIn(zone, seenAt)
  if (shown === null) return null
  const wait = (minutes - shown + 1440) % 1440
  const minuteBegan = Math.floor(seenAt / 60_000) * 60_000
  return minuteBegan + (wait === 0 ? 1440 : wait) * 60_000
}

function minutesIn(zone: string, at: number): number | null {
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hour: 'numeric',
      minute: 'numeric',
      hourCycle: 'h23',
    }).formatToParts(at)
    const part = (type: string) => Number(parts.find((each) => each.type === type)?.value ?? 0)
    return part('hour') * 60 + part('minute')
  } catch {
    return null
  }
}
