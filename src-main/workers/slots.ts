import { BLOCK_BYTES, GZIP_HISTORY } from './compress-block.ts'

/** Memory for one block of any codec, shared with the thread: history first (gzip only), then the block. */
export type Slot = Uint8Array

/** Block memory of a process: kept for the next stream, since a thread's collector gives it back late. */
export interface SlotMemory {
  take(): Slot
  give(slot: Slot): void
  /** Lets the unused ones go. */
  drop(): void
}

/** @param most slots that are kept while unused */
export function createSlotMemory(most: number): SlotMemory {
  const free: Slot[] = []
  return {
    take: () => free.pop() ?? new Uint8Array(new SharedArrayBuffer(GZIP_HISTORY + BLOCK_BYTES.zstd)),
    give(slot) {
      if (free.length < most) free.push(slot)
    },
    drop() {
      free.length = 0
    },
  }
}

/** The slots of one stream: a bounded number, and one place that knows of its failure. */
export interface Slots {
  /** Waits for a free one. @throws the first failure */
  take(): Promise<Slot>
  give(slot: Slot): void
  fail(error: unknown): void
  failure(): unknown
  /** The promise's outcome, or the first failure if that comes earlier. */
  unlessFailed<T>(promise: Promise<T>): Promise<T>
  /** Gives back what is free: after a failure a thread may still be writing into the others. */
  release(): void
}

export function createSlots(memory: SlotMemory, most: number): Slots {
  const free: Slot[] = []
  let taken = 0
  let failure: unknown
  let wake: (() => void) | null = null
  let onFailure: (error: unknown) => void = () => undefined
  return {
    failure: () => failure,
    unlessFailed(promise) {
      // Not Promise.race: a promise that outlives the races would gather one reaction for each.
      return new Promise((resolve, reject) => {
        onFailure = reject
        if (failure) reject(failure)
        promise.then(resolve, reject)
      })
    },
    async take() {
      for (;;) {
        if (failure) throw failure
        const found = free.pop()
        if (found) return found
        if (taken < most) {
          taken++
          return memory.take()
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    give(slot) {
      free.push(slot)
      wake?.()
    },
    fail(error) {
      failure ??= error
      onFailure(error)
      wake?.()
    },
    release() {
      for (const slot of free.splice(0)) memory.give(slot)
    },
  }
}
