import type { RuntimeRef } from '../backend.ts'

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
