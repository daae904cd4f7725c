/** A look at a context: when, in milliseconds since 1970, and its percent. */
export interface Look {
  readonly at: number
  readonly percent: number
}

export interface Trend {
  readonly way: 'up' | 'down' | 'level'
  /** Whole points between the first and the last look, never negative. */
  readonly points: number
  /** Milliseconds between them. */
  readonly time: number
}

/** Looks kept of one run. */
const KEPT = 60
/** Less than this many points is no news. */
const LEVEL = 1
/** Milliseconds in which a context that stays level says nothing. */
const SHORT = 60_000

/** Adds a look, unless it is no newer than the last one. Pure. */
export function withLook(looks: readonly Look[], look: Look): readonly Look[] {
  const last = looks.at(-1)
  return last && look.at <= last.at ? looks : [...looks, look].slice(-KEPT)
}

/** Where a context goes, as far as this page has watched it; null while it saw too little. Pure. */
export function trendOf(looks: readonly Look[]): Trend | null {
  const [first, last] = [looks[0], looks.at(-1)]
  if (!first || !last || first === last) return null
  const change = last.percent - first.percent
  const way = Math.abs(change) < LEVEL ? 'level' : change > 0 ? 'up' : 'down'
  const time = last.at - first.at
  return way === 'level' && time < SHORT ? null : { way, points: Math.round(Math.abs(change)), time }
}

/** The looks as points of a line in a box, the oldest at the left and the fullest on top. Pure. */
export function lineOf(looks: readonly Look[], width: number, height: number): string {
  const [first, last] = [looks[0], looks.at(-1)]
  if (!first || !last || last.at === first.at) return ''
  return looks
    .map(({ at, percent }) => {
      const x = ((at - first.at) / (last.at - first.at)) * width
      const y = height - (Math.min(100, Math.max(0, percent)) / 100) * height
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
