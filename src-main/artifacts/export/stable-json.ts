/** JSON text in which every object's keys are sorted, so that equal values are equal bytes. Pure. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => (isPlain(held) ? sorted(held) : held))
}

export function stableBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(stableJson(value))
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // By code units: a locale's order differs between machines.
  const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(keys.map((key) => [key, value[key]]))
}
