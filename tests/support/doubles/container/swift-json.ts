/** A JSON text as Swift's encoder writes it: sorted keys, escaped slashes, and its own way of being pretty. */
export function swiftJson(value: unknown, pretty = false): string {
  return write(value, pretty ? '' : null)
}

function write(value: unknown, indent: string | null): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('/', '\\/')
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const deeper = indent === null ? null : `${indent}  `
  const isList = Array.isArray(value)
  const parts = isList
    ? value.map((one) => write(one, deeper))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined && one !== null)
        .toSorted(([one], [two]) => (one < two ? -1 : 1))
        .map(([key, one]) => `${write(key, null)}${indent === null ? ':' : ' : '}${write(one, deeper)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (indent === null) return `${open}${parts.join(',')}${close}`
  if (parts.length === 0) return `${open}\n\n${indent}${close}`
  return `${open}\n${parts.map((part) => `${deeper}${part}`).join(',\n')}\n${indent}${close}`
}

/** `2026-08-07T18:36:01Z`, without fractions. */
export const isoDate = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

/** Seconds since 2001-01-01, as older releases wrote dates. */
export const referenceDate = (milliseconds: number): number => (milliseconds - Date.UTC(2001, 0, 1)) / 1000
