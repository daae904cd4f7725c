import type { CallArgs, CallName, CallResult } from './calls.ts'
import type { DesktopBridge } from './desktop.ts'
import type { Failure, Result } from './errors.ts'
import type { EventName, EventPayload } from './events.ts'
import type { StreamArgs, StreamName } from './streams.ts'

/** Page → main, as JSON text frames. Terminal input and resize ride on the stream's id. */
export type ClientMessage =
  | { readonly type: 'call'; readonly id: number; readonly call: CallName; readonly args: unknown }
  | { readonly type: 'open'; readonly stream: number; readonly name: StreamName; readonly args: unknown }
  | { readonly type: 'input'; readonly stream: number; readonly data: string }
  | { readonly type: 'resize'; readonly stream: number; readonly cols: number; readonly rows: number }
  | { readonly type: 'ack'; readonly stream: number; readonly bytes: number }
  | { readonly type: 'close'; readonly stream: number }

/** Main → page, as JSON text frames. Stream data is a binary frame: uint32 BE stream number, then bytes. */
export type ServerMessage =
  | { readonly type: 'result'; readonly id: number; readonly result: Result<unknown> }
  | { readonly type: 'event'; readonly event: EventName; readonly payload: unknown }
  | { readonly type: 'end'; readonly stream: number; readonly error: Failure | null }

export interface StreamHandle {
  /** Sends keystrokes (terminal only). */
  input(data: string): void
  resize(cols: number, rows: number): void
  /** Tells the sender that this many bytes were shown. */
  ack(bytes: number): void
  close(): void
}

export interface StreamSink {
  data(chunk: Uint8Array): void
  end(error: Failure | null): void
}

/** What a page talks to: `window.icebox` on the desktop, the WebSocket client in a browser. */
export interface IceboxBridge {
  call<K extends CallName>(call: K, args: CallArgs<K>): Promise<Result<CallResult<K>>>
  on<K extends EventName>(event: K, listener: (payload: EventPayload<K>) => void): () => void
  open<K extends StreamName>(name: K, args: StreamArgs<K>, sink: StreamSink): StreamHandle
  /** Fires with false when the connection is lost and true when it is back; state must then be read anew. */
  onConnection(listener: (isConnected: boolean) => void): () => void
  /** Only in the desktop app. */
  readonly desktop?: DesktopBridge
}
