/** Runs one job again and again, as often as it is needed and never twice at once. */
export interface Refresher {
  /** Asks for a run: at once when idle, else one more run after the present one. */
  request(): void
  /** Resolves when the wanted run has ended, well or badly; at once while only a retry is pending. */
  settled(): Promise<void>
  close(): void
}

/**
 * A burst of requests gives one run at once and one afterwards. Between two starts lie at least `gapMs`, and at
 * least as long as the last run took, so that a slow engine is never more than half busy with us. A failing run
 * is tried again after `retryMs`, doubling up to ten seconds.
 */
export function createRefresher(
  job: () => Promise<void>,
  options: { readonly gapMs: number; readonly retryMs: number; readonly onError: (error: unknown) => void },
): Refresher {
  let isRunning = false
  let isWanted = false
  let isClosed = false
  let failures = 0
  let notBefore = 0
  let timer: NodeJS.Timeout | undefined
  let settling: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  const settle = (): void => {
    settling?.resolve()
    settling = undefined
  }

  const run = async (): Promise<void> => {
    timer = undefined
    isRunning = true
    isWanted = false
    const startedAt = performance.now()
    try {
      await job()
      failures = 0
      notBefore = startedAt + Math.max(options.gapMs, 2 * (performance.now() - startedAt))
    } catch (error) {
      if (!isClosed) options.onError(error)
      notBefore = performance.now() + Math.min(10_000, options.retryMs * 2 ** failures)
      failures += 1
      isWanted = true
    }
    isRunning = false
    if (!isWanted || failures > 0) settle()
    if (isWanted) schedule()
  }

  const schedule = (): void => {
    if (isClosed || isRunning || timer) return
    const wait = notBefore - performance.now()
    if (wait <= 0) void run()
    else timer = setTimeout(() => void run(), wait)
  }

  return {
    request() {
      isWanted = true
      schedule()
    },
    settled() {
      if (isClosed || (!isRunning && (!isWanted || failures > 0))) return Promise.resolve()
      settling ??= Promise.withResolvers<void>()
      return settling.promise
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      settle()
    },
  }
}
