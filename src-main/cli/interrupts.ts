/** Why a command is being ended before its time. `closed`: nobody reads its output any more. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'closed'

/** Exit codes as shells count them: 128 and the signal's number. Source: cli.md. */
export const INTERRUPT_CODES: Readonly<Record<Interruption, number>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
  closed: 0,
}

/** A press that reaches us twice, from the terminal and from a parent that forwards, is one press. */
const SAME_PRESS_MS = 300
/** Longest that an operation may take to put things in order after a signal that nobody can repeat. */
const GRACE_MS = 20_000

export interface Interrupts {
  readonly signal: AbortSignal
  /** What came first, or null. */
  readonly cause: Interruption | null
  /** Ends the command as a signal would. */
  interrupt(cause: Interruption): void
  /** True for a failed write to an output that was closed at the other end. */
  isClosedOutput(error: unknown): boolean
  dispose(): void
}

/** Turns signals into an abort, so that operations end in order; a second Ctrl-C leaves at once. */
export function watchInterrupts(
  onFirst: (cause: Interruption) => void,
  exit: (code: number) => void,
): Interrupts {
  const controller = new AbortController()
  let cause: Interruption | null = null
  let firstAt = 0
  let graceTimer: NodeJS.Timeout | undefined
  const interrupt = (next: Interruption) => {
    if (cause !== null) {
      if (next !== 'closed' && performance.now() - firstAt > SAME_PRESS_MS) exit(INTERRUPT_CODES[next])
      return
    }
    cause = next
    firstAt = performance.now()
    if (next !== 'SIGINT') {
      graceTimer = setTimeout(() => exit(INTERRUPT_CODES[next]), GRACE_MS)
      graceTimer.unref()
    }
    onFirst(next)
    controller.abort()
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const listeners = names.map((name) => [name, () => interrupt(name)] as const)
  for (const [name, listener] of listeners) process.on(name, listener)
  return {
    signal: controller.signal,
    get cause() {
      return cause
    },
    interrupt,
    isClosedOutput: (error) => error instanceof Error && 'code' in error && error.code === 'EPIPE',
    dispose() {
      clearTimeout(graceTimer)
      for (const [name, listener] of listeners) process.off(name, listener)
    },
  }
}
