const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes as people read them, in powers of 1000: `0 B`, `999 B`, `1.5 kB`, `310 MB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  // 999.5 would round to 1000, so the next unit starts there.
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < SIZE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${SIZE_UNITS[unit]}`
}

const AGE_STEPS = [
  [60, 's'],
  [60, 'm'],
  [24, 'h'],
  [365, 'd'],
] as const

/** How long ago a moment was: `just now`, `42s ago`, `3h ago`, `2y ago`; empty for no or a damaged date. */
export function formatAge(iso: string | null, now: number): string {
  const then = iso ? Date.parse(iso) : Number.NaN
  if (Number.isNaN(then)) return ''
  let value = Math.floor((now - then) / 1000)
  // Clocks of two machines differ; a date a little ahead is not worth a puzzle.
  if (value < 2) return 'just now'
  for (const [size, unit] of AGE_STEPS) {
    if (value < size) return `${value}${unit} ago`
    value = Math.floor(value / size)
  }
  return `${value}y ago`
}

/** `1 snapshot`, `2 snapshots`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
