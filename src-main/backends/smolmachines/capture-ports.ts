import type { Readable } from 'node:stream'
import type { RuntimeRef } from '../backend.ts'
import type { Machine } from './decode.ts'
import type { MachineSource } from './grammar.ts'

/**
 * What a freeze needs of the run that it interrupts. A pack wants the machine stopped, and a stop ends the agent's
 * `exec`: without a word before it, the runner on this machine would write that down as the agent's end.
 */
export interface RunKeeper {
  /**
   * From now on the end of the agent's `exec` is not its exit: the runner waits for `release`. Written down, so that
   * it outlives this process. Nothing happens when the run has ended already.
   */
  hold(ref: RuntimeRef): Promise<void>
  /**
   * Ends a hold: delivers the run's files into the guest again (its `/run` is gone with the stop) and lets the runner
   * begin the agent anew. The machine runs when this is called. Nothing happens when nothing is held.
   */
  release(ref: RuntimeRef, signal: AbortSignal): Promise<void>
}

/** A file that every pack of ours holds, with the id of its snapshot: read back from it before it is trusted. */
export const MARKER_PATH = '/.icebox-snapshot'

/**
 * Where a machine has a disk of its own, which a pack leaves out. Where the version can't be told to take it along, a
 * freeze keeps it beside the pack as a volume part (`snapshot.volumes`, destination `/workspace`), and whoever
 * launches from that snapshot unpacks it there before the agent begins (`unpackInGuest`).
 */
export const WORKSPACE = '/workspace'

/** The verbs of smolvm that freezes and helpers need. Every one is bounded and verified where it can be. */
export interface Machines {
  /** Null when there is none of that name. */
  look(name: string, signal: AbortSignal): Promise<Machine | null>
  /** A machine that only looks into a snapshot, without network. */
  createHelper(name: string, source: MachineSource, slug: string, signal: AbortSignal): Promise<void>
  start(name: string, signal: AbortSignal): Promise<void>
  /** Returns when it is seen to be stopped. */
  stop(name: string, signal: AbortSignal): Promise<void>
  /** Returns when it is seen to be gone; a missing one is gone already. */
  remove(name: string, signal: AbortSignal): Promise<void>
  /** Runs a program inside as root, its output whole. */
  exec(
    name: string,
    argv: readonly string[],
    options: {
      readonly signal: AbortSignal
      readonly timeout?: number
      readonly input?: Readable
      readonly okCodes?: readonly number[] | 'any'
    },
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>
  /** Runs a program inside as root and hands out its stdout as it comes. */
  stream(name: string, argv: readonly string[], signal: AbortSignal): AsyncIterable<Uint8Array>
}
