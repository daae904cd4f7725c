/** One side of the bridge between the page's world and the preload's. Calls are synchronous, as in Electron. */
export interface BridgeSide {
  pack(value: unknown): unknown
  unpack(tree: unknown): unknown
  send(op: string, tree: unknown): unknown
  /** Called for what the other side sends, apart from calls of functions. */
  onMessage(hear: (op: string, tree: unknown) => unknown): void
}

/**
 * The two worlds share the document and nothing else, so values cross in events, whose detail the browser clones.
 * Functions and promises cross as numbers. Self-contained, since the page gets it as source.
 */
export function makeBridgeSide(secret: string, me: 'page' | 'preload'): BridgeSide {
  const other = me === 'page' ? 'preload' : 'page'
  const MAX_DEPTH = 1000
  // The page may replace these later; the bridge keeps the browser's own.
  const { dispatchEvent, addEventListener, CustomEvent } = window
  const owned = new Map<number, (...args: unknown[]) => unknown>()
  const numbers = new WeakMap<object, number>()
  const foreign = new WeakMap<object, number>()
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const gone = new FinalizationRegistry<number>((id) => send('forget', id))
  let last = 0
  let reply: { ok: boolean; tree: unknown } | undefined
  let hear: (op: string, tree: unknown) => unknown = () => undefined

  const own = (fn: (...args: unknown[]) => unknown): number => {
    const known = numbers.get(fn)
    if (known !== undefined && owned.has(known)) return known
    last += 1
    owned.set(last, fn)
    numbers.set(fn, last)
    return last
  }
  const packError = (error: Error): unknown => ({ t: 'e', message: String(error.message) })
  const packPromise = (promise: Promise<unknown>): unknown => {
    last += 1
    const id = last
    promise.then(
      (value) => send('settle', { id, ok: true, tree: pack(value) }),
      (error: unknown) => send('settle', { id, ok: false, tree: pack(error) }),
    )
    return { t: 'p', id }
  }
  const packObject = (value: object, depth: number, path: readonly object[]): unknown => {
    if (depth > MAX_DEPTH || path.includes(value)) {
      throw new Error(
        'Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.',
      )
    }
    const next = [...path, value]
    if (value instanceof Error) return packError(value)
    if (value instanceof Promise) return packPromise(value)
    if (Array.isArray(value)) return { t: 'a', v: value.map((item) => pack(item, depth + 1, next)) }
    if (value instanceof Node) throw new Error('the stand-in carries no elements over the bridge')
    const tag = Object.prototype.toString.call(value)
    if (tag !== '[object Object]' || value instanceof Map) {
      if (tag === '[object WeakMap]' || tag === '[object WeakSet]' || tag === '[object MessagePort]') {
        throw new Error('An object could not be cloned.')
      }
      return { t: 'c', v: structuredClone(value) }
    }
    const keys = Object.keys(value)
    const record = value as Record<string, unknown>
    return { t: 'o', k: keys, v: keys.map((key) => pack(record[key], depth + 1, next)) }
  }
  const pack = (value: unknown, depth = 0, path: readonly object[] = []): unknown => {
    if (typeof value === 'symbol') throw new Error('An object could not be cloned.')
    if (typeof value === 'function') {
      const theirs = foreign.get(value)
      if (theirs !== undefined) return { t: 'back', id: theirs }
      return { t: 'f', id: own(value as (...args: unknown[]) => unknown) }
    }
    return typeof value === 'object' && value !== null ? packObject(value, depth, path) : value
  }

  const unpackFunction = (id: number): unknown => {
    const proxy = (...args: unknown[]): unknown => {
      const answer = send('call', { id, args: pack(args) }) as { ok: boolean; tree: unknown } | undefined
      if (!answer) throw new Error('the other side of the bridge is gone')
      const value = unpack(answer.tree)
      if (answer.ok) return value
      throw value
    }
    foreign.set(proxy, id)
    gone.register(proxy, id)
    return proxy
  }
  type Tree = { t: string; id: number; v: unknown[]; k: string[]; message: string }
  const unpack = (tree: unknown): unknown => {
    if (typeof tree !== 'object' || tree === null) return tree
    const { t, id, v, k, message } = tree as Tree
    if (t === 'f') return unpackFunction(id)
    if (t === 'back') return owned.get(id)
    if (t === 'e') return new Error(message)
    if (t === 'a') return v.map(unpack)
    if (t === 'c') return v
    if (t === 'p') return new Promise((resolve, reject) => pending.set(id, { resolve, reject }))
    return Object.fromEntries(k.map((key, index) => [key, unpack(v[index])]))
  }

  const runCall = (id: number, tree: unknown): { ok: boolean; tree: unknown } => {
    try {
      const fn = owned.get(id)
      if (!fn) throw new Error('this function is gone')
      return { ok: true, tree: pack(fn(...(unpack(tree) as unknown[]))) }
    } catch (error) {
      return { ok: false, tree: pack(error instanceof Error ? error : new Error(String(error))) }
    }
  }
  const settle = ({ id, ok, tree }: { id: number; ok: boolean; tree: unknown }): void => {
    const waiting = pending.get(id)
    pending.delete(id)
    if (ok) waiting?.resolve(unpack(tree))
    else waiting?.reject(unpack(tree))
  }
  const receive = (op: string, tree: unknown): unknown => {
    switch (op) {
      case 'call': {
        const { id, args } = tree as { id: number; args: unknown }
        return runCall(id, args)
      }
      case 'settle':
        return settle(tree as { id: number; ok: boolean; tree: unknown })
      case 'forget':
        return void owned.delete(tree as number)
      default:
        return hear(op, tree)
    }
  }

  const send = (op: string, tree: unknown): unknown => {
    const before = reply
    reply = undefined
    dispatchEvent.call(window, new CustomEvent(`${secret}:${other}`, { detail: { op, tree } }))
    const answer = reply as { ok: boolean; tree: unknown } | undefined
    reply = before
    return answer
  }
  addEventListener.call(window, `${secret}:${me}`, (event) => {
    const { op, tree } = (event as CustomEvent<{ op: string; tree: unknown }>).detail
    const answer = receive(op, tree)
    dispatchEvent.call(window, new CustomEvent(`${secret}:${me}:reply`, { detail: answer }))
  })
  addEventListener.call(window, `${secret}:${other}:reply`, (event) => {
    reply = (event as CustomEvent<{ ok: boolean; tree: unknown }>).detail
  })

  return {
    pack,
    unpack,
    send,
    onMessage(listener) {
      hear = listener
    },
  }
}
