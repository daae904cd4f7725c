import { toFailure } from '../../system/bottle-error.ts'

const UNDO_MS = 120_000

/** Remembers how to take back what was made, newest first. */
export interface Undo {
  add(what: string, step: (signal: AbortSignal) => Promise<unknown>): void
  /** Takes everything back, whatever fails on the way; returns what could not be. Uses its own time, not the caller's. */
  run(): Promise<string[]>
}

export function createUndo(): Undo {
  const steps: { what: string; step: (signal: AbortSignal) => Promise<unknown> }[] = []
  return {
    add: (what, step) => void steps.push({ what, step }),
    async run() {
      const left: string[] = []
      for (const { what, step } of steps.splice(0).reverse()) {
        await step(AbortSignal.timeout(UNDO_MS)).catch((thrown: unknown) => {
          left.push(`${what} (${toFailure(thrown).message})`)
        })
      }
      return left
    },
  }
}
