import type { EngineReport } from '../../src-preload/contract/entities.ts'
import { formatPairs } from './pairs.ts'
import type { Colour, Paint } from './style.ts'
import { plural } from './units.ts'
import { oneLine, textWidth } from './width.ts'

export interface DoctorLook {
  readonly paint: Paint
  readonly unicode: boolean
  /** Cells of a line; undefined: as long as they need. */
  readonly width: number | undefined
}

const STATES: Readonly<Record<EngineReport['state'], readonly [word: string, colour: Colour, sign: string]>> =
  {
    ready: ['ready', 'green', '●'],
    down: ['not running', 'red', '◐'],
    unknown: ['no answer', 'yellow', '?'],
    missing: ['not installed', 'dim', '○'],
  }

/** What engines say they can do, as a person says it; one that is not here is spelt out. */
const ABILITIES: Readonly<Record<string, string>> = {
  liveFreeze: 'freeze while running',
  memory: 'keep memory',
  pause: 'pause',
  volumes: 'volumes',
  terminal: 'terminals',
  interactive: 'terminals',
  binds: 'mounts of folders here',
  isolation: 'sandbox',
  sandbox: 'sandbox',
  network: 'network rules',
  networkSandbox: 'bottles without network',
  reflink: 'instant copies',
  clone: 'instant copies',
  sidecars: 'sidecars',
  localImages: 'image archives',
}

/** What matters to Icebox and to nobody who uses it. */
const INTERNAL: ReadonlySet<string> = new Set(['labels'])

function abilities(engine: EngineReport, wanted: boolean): string {
  const told = Object.entries(engine.capabilities).filter(([name]) => !INTERNAL.has(name))
  const names = told.filter(([, can]) => can === wanted)
  const words = names.map(
    ([name]) => ABILITIES[name] ?? name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase(),
  )
  return [...new Set(words)].join(', ')
}

/** Breaks text between words so that no line is wider; a word that is wider by itself stays whole. Pure. */
export function wrapText(text: string, width: number | undefined): readonly string[] {
  const lines: string[] = []
  for (const word of oneLine(text).split(' ').filter(Boolean)) {
    const line = lines.at(-1)
    if (line !== undefined && (width === undefined || textWidth(line) + 1 + textWidth(word) <= width))
      lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

const LABEL_WIDTH = 12

/** A label and its text, wrapped under itself; nothing for an empty text. */
function row(label: string, text: string, look: DoctorLook, mark = ''): readonly string[] {
  const indent = 2 + LABEL_WIDTH + mark.length
  const room = look.width === undefined ? undefined : Math.max(20, look.width - indent)
  return wrapText(text, room).map((line, index) =>
    index === 0
      ? `  ${look.paint('dim', label)}${' '.repeat(LABEL_WIDTH - textWidth(label))}${mark}${line}`
      : `${' '.repeat(indent)}${line}`,
  )
}

/** What mends it is for copying, so it is never broken. */
function command(label: string, text: string | null, look: DoctorLook): readonly string[] {
  return text === null ? [] : row(label, text, { ...look, width: undefined })
}

/** It answered, and what it said is why it is of no use: too old, say. */
function isUnusable({ state, version }: EngineReport): boolean {
  return state === 'unknown' && version !== null
}

/** One engine: its name and state, then what it can do, what it can't, and what mends it. Pure. */
export function engineText(engine: EngineReport, bottles: number, look: DoctorLook): string {
  const [stateWord, colour, sign] = STATES[engine.state]
  const word = isUnusable(engine) ? 'can’t be used' : stateWord
  const head = [
    look.paint('bold', oneLine(engine.title || engine.name)),
    look.paint(colour, word),
    ...(bottles > 0 ? [look.paint('dim', plural(bottles, 'bottle'))] : []),
  ].join('  ')
  const isThere = engine.state !== 'missing'
  const where = engine.endpoint ? `${engine.endpoint}${engine.remote ? ' (remote)' : ''}` : ''
  return [
    look.unicode ? `${look.paint(colour, sign)} ${head}` : head,
    ...row('Reason', engine.reason ?? '', look),
    ...command(isThere ? 'To mend it' : 'To install', engine.fix, look),
    ...row('Address', where, look),
    ...row('Can', abilities(engine, true), look),
    ...row('Can’t', abilities(engine, false), look),
    ...engine.limits.flatMap((limit, index) => row(index === 0 ? 'Limits' : '', limit, look, '- ')),
  ].join('\n')
}

export interface Machine {
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly home: string
}

/** The whole report: this machine, then every engine, those that are not installed last. Pure. */
export function doctorText(
  machine: Machine,
  engines: readonly EngineReport[],
  bottles: ReadonlyMap<string, number>,
  look: DoctorLook,
): string {
  const head = formatPairs(
    [
      ['Icebox', machine.version],
      ['Node', machine.node],
      ['Platform', machine.platform],
      ['State', machine.home],
    ],
    look.paint,
  )
  const sorted = [...engines].sort((a, b) => Number(a.state === 'missing') - Number(b.state === 'missing'))
  return [head, ...sorted.map((engine) => engineText(engine, bottles.get(engine.name) ?? 0, look))].join(
    '\n\n',
  )
}

/** Engines that have bottles and can't be used now: what makes the doctor fail. Pure. */
export function silentEngines(
  engines: readonly EngineReport[],
  bottles: ReadonlyMap<string, number>,
): readonly EngineReport[] {
  return engines.filter((engine) => engine.state !== 'ready' && (bottles.get(engine.name) ?? 0) > 0)
}
