import type { Bottle, BottleState } from '../../src-preload/contract/entities.ts'
import type { Colour } from './style.ts'
import type { Cell } from './table.ts'

const LOOKS: Readonly<Record<BottleState, readonly [glyph: string, ascii: string, colour: Colour]>> = {
  starting: ['◌', '~', 'cyan'],
  running: ['●', '*', 'green'],
  paused: ['‖', '=', 'yellow'],
  stopping: ['◌', '~', 'yellow'],
  stopped: ['○', 'o', 'dim'],
  frozen: ['❄', '#', 'blue'],
  failed: ['✕', 'x', 'red'],
  unknown: ['?', '?', 'yellow'],
}

/** A bottle's state as a glyph and a word, with the agent's own state or exit code where that says more. */
export function stateCell(bottle: Pick<Bottle, 'state' | 'agentState' | 'exitCode'>, unicode: boolean): Cell {
  const [glyph, ascii, colour] = LOOKS[bottle.state]
  const agent = agentWord(bottle)
  return { text: `${unicode ? glyph : ascii} ${bottle.state}${agent ? ` (${agent})` : ''}`, colour }
}

/** `exited 7`, `waiting`, or empty when there is nothing to tell beyond the bottle's state. */
export function agentWord(bottle: Pick<Bottle, 'agentState' | 'exitCode'>): string {
  if (bottle.agentState === 'exited') return bottle.exitCode === null ? 'exited' : `exited ${bottle.exitCode}`
  return bottle.agentState === null || bottle.agentState === 'working' ? '' : bottle.agentState
}

/** True for a bottle whose runtime is there and not at rest: what `--active` shows. */
export function isActive(bottle: Pick<Bottle, 'state'>): boolean {
  return ['starting', 'running', 'paused', 'stopping'].includes(bottle.state)
}
