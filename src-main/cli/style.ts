export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'dim' | 'bold'

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
}

/** Wraps text in a colour, or returns it as it is. */
export type Paint = (colour: Colour, text: string) => string

export const plainPaint: Paint = (_colour, text) => text

export const colourPaint: Paint = (colour, text) => {
  const [on, off] = CODES[colour]
  return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`
}

/** Colours go only to a terminal, and never when NO_COLOR is set to anything. Source: no-color.org. */
export function paintFor(isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  return isTerminal && !env.NO_COLOR && env.TERM !== 'dumb' ? colourPaint : plainPaint
}

/** True when box-drawing characters will show: a terminal with a UTF-8 locale. */
export function hasUnicode(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (!isTerminal || env.TERM === 'dumb' || env.TERM === 'linux') return false
  if (process.platform === 'darwin') return true
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '')
}
