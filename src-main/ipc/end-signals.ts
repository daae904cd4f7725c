/** A press that reaches us twice, from the terminal and from a parent that forwards, is one press. */
const SAME_PRESS_MS = 300
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export interface End {
  readonly signal: AbortSignal
  /** 0, or the code of the signal that ended us. */
  exitCode(): number
  dispose(): void
}

/** The caller's own signal, or one that SIGINT, SIGTERM and SIGHUP abort; a second of them leaves at once. */
export function openEnd(given: AbortSignal | undefined): End {
  if (given) return { signal: given, exitCode: () => 0, dispose: () => {} }
  const controller = new AbortController()
  let code = 0
  let firstAt = 0
  const names = Object.keys(CODES) as (keyof typeof CODES)[]
  const onSignal = (name: NodeJS.Signals): void => {
    if (code !== 0) {
      if (performance.now() - firstAt > SAME_PRESS_MS) process.exit(code)
      return
    }
    firstAt = performance.now()
    code = CODES[name as keyof typeof CODES]
    controller.abort()
  }
  for (const name of names) process.on(name, onSignal)
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose: () => {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
