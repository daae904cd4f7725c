import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Icebox } from '../icebox.ts'
import { createCore } from './core.ts'
import type { Refused } from './transfers/transfers.ts'
import { createWebSocketTransport } from './websocket-transport.ts'

/** Everything behind the server's socket. */
export interface Background {
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Answers `/download/…` and `/upload/…`; a refusal is the server's to send. */
  readonly transfer: (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) => Promise<Refused | null>
  close(taskGraceMs: number): Promise<void>
}

/** Wires the core to WebSockets and HTTP transfers. */
export function createBackground(
  icebox: Icebox,
  version: string,
  warn: (error: unknown) => void,
): Background {
  const core = createCore(icebox, version, warn)
  const transport = createWebSocketTransport({
    router: core.router,
    hub: core.hub,
    bottles: icebox.bottles,
  })
  return {
    accept: transport.accept,
    transfer: core.transfers.answer,
    async close(taskGraceMs) {
      await transport.close()
      await core.close(taskGraceMs)
    },
  }
}
