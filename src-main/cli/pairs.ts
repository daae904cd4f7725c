import type { Paint } from './style.ts'
import { oneLine, textWidth } from './width.ts'

/** Names and values, aligned, one a line; pairs without a value are left out. */
export function formatPairs(
  pairs: readonly (readonly [name: string, value: string])[],
  paint: Paint,
): string {
  const shown = pairs
    .map(([name, value]) => [name, oneLine(value)] as const)
    .filter(([, value]) => value !== '')
  const width = Math.max(0, ...shown.map(([name]) => textWidth(name)))
  return shown
    .map(([name, value]) => `${paint('dim', name)}${' '.repeat(width - textWidth(name) + 2)}${value}`)
    .join('\n')
}
