import type { ScreenText } from '../agent-access.ts'
import type { RunnerPlan, RunPaths, WaitingRunner } from './start-runner.ts'
import type { KeyName } from './strokes.ts'

export type MultiplexerName = 'tmux' | 'screen'

/** The size that a terminal has until somebody attaches. */
export const START_SIZE = { cols: 120, rows: 32 } as const

/** How a program is called that shows a run's terminal to a person. */
export interface AttachCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * A program that keeps a run's terminal while nobody sits at it. Every run has a server of its own at an address of
 * its own, so no name of another run's can ever be meant.
 */
export interface Multiplexer {
  readonly name: MultiplexerName
  /** Starts a server whose own environment holds nothing of the run, with a runner in it that waits for its word. */
  start(run: RunPaths, plan: RunnerPlan, address: string, signal: AbortSignal): Promise<WaitingRunner>
  attachCommand(address: string): Promise<AttachCommand>
  /** Types a text without a line end, as it is. */
  typeText(address: string, text: string, signal: AbortSignal): Promise<void>
  /** Gives a text of several lines as one paste where the agent's program knows pastes. */
  paste(address: string, text: string, signal: AbortSignal): Promise<void>
  pressKey(address: string, key: KeyName, signal: AbortSignal): Promise<void>
  /** What the terminal shows. */
  capture(address: string, signal: AbortSignal): Promise<ScreenText>
  /** Ends the server; a missing one is already gone. */
  end(address: string): Promise<void>
}

/** The screen as a multiplexer prints it: as many lines as it has, right ends trimmed. Pure. */
export function screenText(printed: string, cols: number, rows: number): ScreenText {
  const lines = printed
    .split('\n')
    .slice(0, rows)
    .map((line) => line.trimEnd())
  while (lines.length < rows) lines.push('')
  return { lines, cols, rows }
}
