import type { Params } from './cdp.ts'

interface Load {
  readonly url: string
  /** True once Chromium shows a document of this load; the blank page of every new window is nobody's. */
  hasDocument: boolean
  resolve(): void
  reject(error: Error): void
}

/** The promises of `loadURL`: the last one counts, the ones before it are aborted. */
export interface PageLoads {
  /** @param begun what Chromium answers when the document is there, or why it is not */
  start(url: string, begun: Promise<Params>): Promise<void>
  documentCame(): void
  /** False while what finished is only the blank page before the load. */
  finished(): boolean
  abort(): void
}

/** `failed` is called before the promise of the load rejects. */
export function createPageLoads(failed: (url: string, text: string) => void): PageLoads {
  let current: Load | undefined
  const abort = (): void => {
    current?.reject(new Error(`ERR_ABORTED (-3) loading '${current.url}'`))
    current = undefined
  }
  return {
    abort,
    start(url, begun) {
      abort()
      return new Promise((resolve, reject) => {
        const load: Load = { url, hasDocument: url === 'about:blank', resolve, reject }
        current = load
        begun.then(({ errorText }) => {
          if (!errorText || current !== load) return
          current = undefined
          const text = String(errorText).replace('net::', '')
          failed(url, text)
          reject(new Error(`${text} (-2) loading '${url}'`))
        }, reject)
      })
    },
    documentCame() {
      if (current) current.hasDocument = true
    },
    finished() {
      if (current && !current.hasDocument) return false
      current?.resolve()
      current = undefined
      return true
    },
  }
}
