/** Runs one job again and again, as often as it is needed and never twice at once. */
export interface Refresher {
  /** Asks for a run: at once when idle, else one more run after the present one. */
  request(): void
  /** Resolves when the run under way or next has ended, well or badly; at once when idle or waiting to retry. */
  settled(): Promise<void>
  close(): void
}

/** A first run that was slow only because it loaded code must not hold the second one back for long. */
const MAX_REST_MS = 100

/**
 * A burst of requests gives one run at once and one afterwards. Between two starts lie at least `gapMs`, and
 * after each run a rest as long as it took, at most 100 ms, so that a storm of changes never keeps an engine busy
 * with us alone. A failing run is tried again after `retryMs`, doubling up to ten seconds.
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
      const endedAt = performance.now()
      const rest = Math.min(endedAt - startedAt, MAX_REST_MS)
      notBefore = Math.max(startedAt + options.gapMs, endedAt + rest)
    } catch (error) {
      if (!isClosed) options.onError(error)
      notBefore = performance.now() + Math.min(10_000, options.retryMs * 2 ** failures)
      failures += 1
      isWanted = true
    }
    isRunning = false
    settle()
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
