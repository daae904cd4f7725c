import type { RuntimeRef } from '../state/runtime-ref.ts'

/** What a terminal shows: its visible lines without colours, right ends trimmed. */
export interface ScreenText {
  readonly lines: readonly string[]
  readonly cols: number
  readonly rows: number
}

/** One thing to type. Keys go out apart from texts, so that a program that repaints does not lose an Enter. */
export type Stroke =
  | { readonly text: string }
  | { readonly key: 'Enter' | 'Escape' | 'Up' | 'Down' | 'Left' | 'Right' | 'Tab' | 'BSpace' | 'C-c' | 'C-d' }
  | { readonly pauseMs: number }

/** A place inside a bottle: `path` is relative, with `/`, and never leaves its base. */
export interface AgentPath {
  /** The agent's HOME, or the folder that it works in. */
  readonly base: 'home' | 'workspace'
  readonly path: string
}

export interface AgentFile {
  /** Relative to the folder that was listed. */
  readonly path: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
}

/** Why what lies at a path is not a plain file that can be read: a link, on the way to it too, no right, something else. */
export type FileObstacle = 'link' | 'unreadable' | 'other'

/**
 * What a supervisor needs of a running agent: its terminal and its files. All calls are rare; nothing here may cost
 * a process or an engine call while nobody calls it, but for `output`, which only waits.
 */
export interface AgentAccess {
  /** What the terminal shows now; null for a run without one or that has ended. */
  screen(ref: RuntimeRef, signal: AbortSignal): Promise<ScreenText | null>
  /** Types in order. @throws BottleError `unsupported` without a terminal, `not-found` when the agent has ended */
  type(ref: RuntimeRef, strokes: readonly Stroke[], signal: AbortSignal): Promise<void>
  /** Milliseconds since 1970 of output as it comes, coalesced to at most a few a second; ends with the run or the signal. */
  output(ref: RuntimeRef, signal: AbortSignal): AsyncIterable<number>
  /** Plain files below a folder, newest first, at most `limit`; empty when there is no such folder. */
  list(ref: RuntimeRef, folder: AgentPath, limit: number, signal: AbortSignal): Promise<readonly AgentFile[]>
  /** The whole file, or its last `tailBytes`; null when it is not there or not a plain file. */
  read(
    ref: RuntimeRef,
    file: AgentPath,
    tailBytes: number | null,
    signal: AbortSignal,
  ): Promise<Uint8Array | null>
  /** What hinders from reading a file; null when nothing does, or when it is not there. */
  obstacle(ref: RuntimeRef, file: AgentPath, signal: AbortSignal): Promise<FileObstacle | null>
  /** Replaces a file as a whole, making its folders; keeps owner and mode of one that is there. Never through a link. */
  write(ref: RuntimeRef, file: AgentPath, content: Uint8Array, signal: AbortSignal): Promise<void>
  /** A missing file is already done. */
  remove(ref: RuntimeRef, file: AgentPath, signal: AbortSignal): Promise<void>
}
