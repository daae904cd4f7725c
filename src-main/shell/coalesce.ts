/** A job that many small changes ask for: done once, so long after the first of them. */
export function coalesce(job: () => void, waitMs: number, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return () => {
    if (timer || signal.aborted) return
    timer = setTimeout(() => {
      timer = undefined
      job()
    }, waitMs)
  }
}
