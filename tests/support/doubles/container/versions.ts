/** What the releases of the tool differ in, as far as an adapter can see it. */
export interface Gates {
  /** `{id, configuration, status: {…}}` and ISO dates; before: flat, `status` a word, dates as seconds since 2001. */
  readonly nestedJson: boolean
  /** `inspect` of a missing id fails; before: an empty array. */
  readonly inspectFails: boolean
  readonly hasCopy: boolean
  readonly hasToml: boolean
  /** `image save` to stdout appends the reference to the archive. */
  readonly saveAppendsReference: boolean
  /** `export` of a running container, and over an existing file. */
  readonly exportsLive: boolean
}

export const CONTAINER_VERSIONS = ['0.12.3', '1.0.0', '1.2.0', '1.2.1', '1.2.2'] as const

/** Compares versions of three numbers. */
export function isAtLeast(version: string, floor: string): boolean {
  const [one, two] = [version, floor].map((text) => text.split('.').map(Number))
  for (let at = 0; at < 3; at += 1) {
    const difference = (one?.[at] ?? 0) - (two?.[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** The gates of a version. */
export function gatesOf(version: string): Gates {
  const from = (floor: string) => isAtLeast(version, floor)
  return {
    nestedJson: from('1.0.0'),
    inspectFails: from('1.0.0'),
    hasCopy: from('1.0.0'),
    hasToml: from('1.0.0'),
    saveAppendsReference: !from('1.1.0'),
    exportsLive: from('1.2.1'),
  }
}
