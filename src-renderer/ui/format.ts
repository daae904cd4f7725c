const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in decimal units, as file managers count: "310 MB", "1.2 GB". */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`
}

/** A change in bytes with its sign: "+310 MB", "−2 kB", "±0 B". */
export function signedBytes(count: number): string {
  return `${count > 0 ? '+' : count < 0 ? '−' : '±'}${bytes(Math.abs(count))}`
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago, short enough for a column: "now", "12 min", "3 h", "5 d", then the date. */
export function age(iso: string, now: number): string {
  const then = Date.parse(iso)
  if (Number.isNaN(then)) return '–'
  const passed = Math.max(0, now - then)
  if (passed < MINUTE) return 'just now'
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ago`
  if (passed < 14 * DAY) return `${Math.floor(passed / DAY)} d ago`
  return new Date(then).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
}

/** A span of time in words of at most two units: "2 h 14 min". */
export function duration(milliseconds: number): string {
  const passed = Math.max(0, milliseconds)
  if (passed < 1000) return `${(passed / 1000).toFixed(1)} s`
  if (passed < MINUTE) return `${Math.round(passed / 1000)} s`
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`
  const [big, small] = passed < DAY ? [HOUR, MINUTE] : [DAY, HOUR]
  const [bigName, smallName] = passed < DAY ? ['h', 'min'] : ['d', 'h']
  const rest = Math.floor((passed % big) / small)
  return `${Math.floor(passed / big)} ${bigName}${rest ? ` ${rest} ${smallName}` : ''}`
}

/** Day and time in the person's own way of writing them. */
export function moment(iso: string): string {
  const then = new Date(iso)
  if (Number.isNaN(then.getTime())) return '–'
  return then.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
}

/** "Claude" for "claude"; names of two letters and more keep the rest. */
export function capital(word: string): string {
  return word ? `${word.charAt(0).toUpperCase()}${word.slice(1)}` : word
}
