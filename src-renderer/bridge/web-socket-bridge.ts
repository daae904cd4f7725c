import { type Failure, failure, type Result } from '../../src-preload/contract/errors.ts'
import type {
  ClientMessage,
  IceboxBridge,
  ServerMessage,
  StreamHandle,
  StreamSink,
} from '../../src-preload/contract/wire.ts'

const FIRST_DELAY = 250
const LONGEST_DELAY = 8000
/** The server answers long operations at once with a task, so a call that takes this long is lost. */
const CALL_TIMEOUT = 120_000
/** These read whole snapshots before they answer. */
const SLOW_CALLS: ReadonlySet<string> = new Set([
  'snapshot:diff',
  'snapshot:diff-file',
  'artifact:search-secrets',
  'space:usage',
  'space:prune',
])
const SLOW_TIMEOUT = 3_600_000

type AnyListener = (payload: never) => void

/**
 * The bridge of the browser face: one WebSocket with JSON text frames for calls and events, binary frames for
 * streams. Reconnects by itself with growing delays; what was under way when the connection broke fails with a
 * retryable error, since the answer can't come any more.
 */
export function createWebSocketBridge(url: string): IceboxBridge {
  const calls = new Map<number, (result: Result<unknown>) => void>()
  const streams = new Map<number, StreamSink>()
  const listeners = new Map<string, Set<AnyListener>>()
  const connectionListeners = new Set<(isConnected: boolean) => void>()
  const waiting: string[] = []
  let socket: WebSocket
  let isOpen = false
  let isFirstAttempt = true
  let delay = FIRST_DELAY
  let lastNumber = 0

  const connect = () => {
    socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => {
      isOpen = true
      delay = FIRST_DELAY
      for (const text of waiting.splice(0)) socket.send(text)
      const isReconnect = !isFirstAttempt
      isFirstAttempt = false
      if (isReconnect) for (const tell of connectionListeners) tell(true)
    })
    socket.addEventListener('message', (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === 'string') receive(JSON.parse(event.data) as ServerMessage)
      else receiveBytes(event.data)
    })
    socket.addEventListener('close', () => {
      const wasOpen = isOpen
      isOpen = false
      waiting.length = 0
      failEverything()
      if (wasOpen || isFirstAttempt) for (const tell of connectionListeners) tell(false)
      isFirstAttempt = false
      setTimeout(connect, delay * (0.75 + Math.random() / 2))
      delay = Math.min(delay * 2, LONGEST_DELAY)
    })
  }

  const failEverything = () => {
    const lost = connectionLost()
    const open = [...streams.values()]
    const pending = [...calls.values()]
    streams.clear()
    calls.clear()
    for (const settle of pending) settle({ ok: false, error: lost })
    for (const sink of open) sink.end(lost)
  }

  const receive = (message: ServerMessage) => {
    switch (message.type) {
      case 'result':
        calls.get(message.id)?.(message.result)
        break
      case 'event':
        for (const listener of listeners.get(message.event) ?? []) listener(message.payload as never)
        break
      case 'end': {
        const sink = streams.get(message.stream)
        streams.delete(message.stream)
        sink?.end(message.error)
        break
      }
    }
  }

  const receiveBytes = (frame: ArrayBuffer) => {
    if (frame.byteLength < 4) return
    streams.get(new DataView(frame).getUint32(0))?.data(new Uint8Array(frame, 4))
  }

  /** False when there is nobody to send to; before the first connection messages wait. */
  const send = (message: ClientMessage): boolean => {
    const text = JSON.stringify(message)
    if (isOpen) socket.send(text)
    else if (isFirstAttempt) waiting.push(text)
    else return false
    return true
  }

  connect()
  return {
    call(call, args) {
      const id = ++lastNumber
      return new Promise((resolve) => {
        const limit = SLOW_CALLS.has(call) ? SLOW_TIMEOUT : CALL_TIMEOUT
        const timer = setTimeout(() => settle({ ok: false, error: failure('timeout') }), limit)
        const settle = (result: Result<unknown>) => {
          clearTimeout(timer)
          calls.delete(id)
          // The server checked the result against the same table that types this call.
          resolve(result as never)
        }
        calls.set(id, settle)
        if (!send({ type: 'call', id, call, args })) settle({ ok: false, error: connectionLost() })
      })
    },
    on(event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener as AnyListener))
      return () => set.delete(listener as AnyListener)
    },
    open(name, args, sink): StreamHandle {
      const stream = ++lastNumber
      streams.set(stream, sink)
      if (!send({ type: 'open', stream, name, args })) {
        streams.delete(stream)
        queueMicrotask(() => sink.end(connectionLost()))
      }
      const isLive = () => streams.has(stream)
      return {
        input: (data) => void (isLive() && send({ type: 'input', stream, data })),
        resize: (cols, rows) => void (isLive() && send({ type: 'resize', stream, cols, rows })),
        ack: (bytes) => void (isLive() && send({ type: 'ack', stream, bytes })),
        close() {
          if (streams.delete(stream)) send({ type: 'close', stream })
        },
      }
    },
    onConnection(listener) {
      connectionListeners.add(listener)
      return () => connectionListeners.delete(listener)
    },
  }
}

function connectionLost(): Failure {
  return failure('timeout', 'The connection to Icebox was lost.')
}
