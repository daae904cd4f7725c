import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { StatePatch } from '../../src-preload/contract/index.ts'
import type { Bottles } from '../bottles/services.ts'
import { createConnection } from './connection.ts'
import { createPatchFeed, type PatchFeed } from './patch-feed.ts'
import type { Router } from './router.ts'
import type { StateHub } from './state-hub.ts'

/** Takes over sockets that were already found to be allowed. */
export interface WebSocketTransport {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

export interface TransportParts {
  readonly router: Router
  readonly hub: StateHub
  readonly bottles: Pick<Bottles, 'logs' | 'attach'>
}

const MAX_FRAME = 1_048_576
const MAX_CONNECTIONS = 64
const PING_MS = 30_000
/** Above this many unsent bytes a page lags. */
const MAX_BACKLOG = 4_194_304
const PROTOCOL_ERROR = 1008
const GOING_AWAY = 1001

/** The contract over WebSockets: JSON text frames, and binary frames for stream bytes. */
export function createWebSocketTransport(parts: TransportParts): WebSocketTransport {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false })
  const live = new Map<WebSocket, { isAnswering: boolean; readonly feed: PatchFeed }>()
  let leaveHub: (() => void) | undefined
  let pinging: NodeJS.Timeout | undefined

  const broadcast = (patch: StatePatch): void => {
    const frame = JSON.stringify({ type: 'event', event: 'state:patch', payload: patch })
    for (const { feed } of live.values()) feed.push(frame)
  }
  const pingAll = (): void => {
    for (const [socket, state] of live) {
      if (!state.isAnswering) socket.terminate()
      state.isAnswering = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }
  }

  function serve(socket: WebSocket): void {
    const isOpen = (): boolean => socket.readyState === socket.OPEN
    const send = (frame: string | Uint8Array): void => {
      if (isOpen()) socket.send(frame)
    }
    const feed = createPatchFeed({ backlog: () => socket.bufferedAmount, send }, MAX_BACKLOG)
    const state = { isAnswering: true, feed }
    live.set(socket, state)
    leaveHub ??= parts.hub.subscribe(broadcast)
    pinging ??= setInterval(pingAll, PING_MS).unref()
    const connection = createConnection(parts.router, parts.bottles, { text: send, binary: send })
    socket.on('message', (data, isBinary) => {
      if (!isOpen()) return
      if (isBinary || !connection.receive(data.toString())) socket.close(PROTOCOL_ERROR, 'not understood')
    })
    socket.on('pong', () => {
      state.isAnswering = true
    })
    // An oversize or broken frame: ws closes the socket with the right code by itself.
    socket.on('error', () => connection.close())
    socket.on('close', () => {
      connection.close()
      feed.close()
      live.delete(socket)
      if (live.size > 0) return
      leaveHub?.()
      leaveHub = undefined
      clearInterval(pinging)
      pinging = undefined
    })
  }

  return {
    accept(request, socket, head) {
      if (live.size >= MAX_CONNECTIONS) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, head, serve)
    },
    async close() {
      for (const socket of live.keys()) socket.close(GOING_AWAY, 'Icebox ends')
      const all = [...live.keys()]
      await Promise.race([
        Promise.all(all.map((socket) => new Promise((resolve) => socket.once('close', resolve)))),
        new Promise((resolve) => setTimeout(resolve, 500).unref()),
      ])
      for (const socket of live.keys()) socket.terminate()
      server.close()
    },
  }
}
