/** What has gone out already to an agent that starts: plain JSON, kept by whoever supervises. */
export interface StartupState {
  /** Names of the answers that were given; each is given once. */
  readonly answered: readonly string[]
  readonly isReady: boolean
  /** How many startup commands were typed. */
  readonly sent: number
  /** True from the moment before a command is typed until it is known to be sent. */
  readonly isTyping: boolean
  /** A capture of the screen was written, since it took too long. */
  readonly isLate: boolean
  readonly isDone: boolean
}

export const NEW_STARTUP: StartupState = {
  answered: [],
  isReady: false,
  sent: 0,
  isTyping: false,
  isLate: false,
  isDone: false,
}

/** The startup's memory: as it was kept, and where each change goes before the next step. */
export interface StartupProgress {
  readonly state: StartupState
  save(state: StartupState): Promise<void>
}

/** What was kept of a startup; anything that isn't whole counts as nothing done yet. Pure. */
export function asStartupState(value: unknown): StartupState {
  if (typeof value !== 'object' || value === null) return NEW_STARTUP
  const { answered, isReady, sent, isTyping, isLate, isDone } = value as Partial<
    Record<keyof StartupState, unknown>
  >
  const isNames = Array.isArray(answered) && answered.every((name) => typeof name === 'string')
  const isFlags = [isReady, isTyping, isLate, isDone].every((flag) => typeof flag === 'boolean')
  if (!isNames || !isFlags || typeof sent !== 'number' || !Number.isSafeInteger(sent) || sent < 0)
    return NEW_STARTUP
  return {
    answered: answered as string[],
    isReady: isReady === true,
    sent,
    isTyping: isTyping === true,
    isLate: isLate === true,
    isDone: isDone === true,
  }
}
