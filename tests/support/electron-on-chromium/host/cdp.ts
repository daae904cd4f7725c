import type { Readable, Writable } from 'node:stream'

export type Params = Readonly<Record<string, unknown>>

/** A connection to Chromium's DevTools over its pipe: it ends with this process, however that ends. */
export interface Cdp {
  send<T = Params>(method: string, params?: Params, sessionId?: string): Promise<T>
  /** Events of one target, or of the browser (no session). */
  on(sessionId: string | undefined, hear: (method: string, params: Params) => void): () => void
  close(): void
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class CdpError extends Error {}

export function connectCdp(input: Writable, output: Readable): Cdp {
  const waiting = new Map<number, Waiting>()
  const listeners = new Map<string, Set<(method: string, params: Params) => void>>()
  let lastId = 0
  let isClosed = false
  const parts: Buffer[] = []

  const receive = (text: string): void => {
    const { id, method, params, result, error, sessionId } = JSON.parse(text)
    if (id === undefined) {
      for (const hear of [...(listeners.get(sessionId ?? '') ?? [])]) hear(method, params)
      return
    }
    const waiter = waiting.get(id)
    waiting.delete(id)
    if (error) waiter?.reject(new CdpError(error.message))
    else waiter?.resolve(result)
  }
  output.on('data', (chunk: Buffer) => {
    let rest = chunk
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
      parts.push(rest.subarray(0, end))
      const text = Buffer.concat(parts.splice(0)).toString('utf8')
      rest = rest.subarray(end + 1)
      receive(text)
    }
    if (rest.length > 0) parts.push(rest)
  })
  const close = (): void => {
    isClosed = true
    for (const waiter of waiting.values()) waiter.reject(new CdpError('Chromium is gone'))
    waiting.clear()
    input.end()
  }
  output.on('close', close)
  // What is written while Chromium ends fails; `close` tells of it.
  input.on('error', () => {})

  return {
    close,
    send<T>(method: string, params: Params = {}, sessionId?: string) {
      if (isClosed) return Promise.reject(new CdpError('Chromium is gone'))
      lastId += 1
      const id = lastId
      input.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`)
      return new Promise<T>((resolve, reject) => {
        waiting.set(id, { resolve: (value) => resolve(value as T), reject })
      })
    },
    on(sessionId = '', hear) {
      const set = listeners.get(sessionId) ?? new Set()
      listeners.set(sessionId, set.add(hear))
      return () => void set.delete(hear)
    },
  }
}
