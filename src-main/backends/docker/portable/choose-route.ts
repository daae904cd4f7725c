/** Layers that the engine sends at a time; unwanted ones can be held back in all of these but one. */
const SLOTS = 5
/** How many times longer a byte takes when the engine compresses it for a push than when it saves it. */
const PUSH_FACTOR = 12
/** What a push costs before its first byte, in saved bytes. */
const PUSH_START = 24 << 20

/**
 * Pure: how few layers come out faster. A save writes and sends every layer; a push starts at the top, compresses each
 * layer that it sends, and is cut off once all wanted ones are in.
 * @param sizes bytes of each layer, bottom first
 */
export function chooseRoute(
  diffIds: readonly string[],
  sizes: readonly number[],
  wanted: ReadonlySet<string>,
): 'save' | 'push' {
  const lowest = diffIds.findIndex((diffId) => wanted.has(diffId))
  if (lowest === -1) return 'save'
  let wantedBytes = 0
  const unwanted: number[] = []
  for (const [at, diffId] of diffIds.entries()) {
    const bytes = sizes[at] ?? 0
    if (wanted.has(diffId)) wantedBytes += bytes
    else if (at > lowest) unwanted.push(bytes)
  }
  const drained = sum(unwanted.sort((left, right) => left - right).slice(0, -(SLOTS - 1)))
  return (wantedBytes + drained) * PUSH_FACTOR + PUSH_START < sum(sizes) ? 'push' : 'save'
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
