import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Icebox } from '../icebox.ts'
import { createTaskQueue } from '../tasks/task-queue.ts'
import { createHandlers } from './handlers/handlers.ts'
import { createRouter } from './router.ts'
import { createStateHub } from './state-hub.ts'
import { createTransfers, type Refused } from './transfers/transfers.ts'
import { createWebSocketTransport } from './websocket-transport.ts'

/** Everything behind the socket: tasks, the state hub, the router and the transport. */
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

/** Wires one page-facing process over the services. */
export function createBackground(
  icebox: Icebox,
  version: string,
  warn: (error: unknown) => void,
): Background {
  const stop = new AbortController()
  const tasks = createTaskQueue()
  const hub = createStateHub({ bottles: icebox.bottles, tasks, home: icebox.root.dir, version, warn })
  const transfers = createTransfers(icebox.root, warn)
  const router = createRouter(createHandlers(icebox, tasks, hub, transfers, stop.signal))
  const transport = createWebSocketTransport({ router, hub, bottles: icebox.bottles })
  // Keeps `settings.all()` current with what other programs write.
  const leaveSettings = icebox.settings().then((settings) => settings.watch(() => {}))
  leaveSettings.catch(warn)
  // After the first list, which must not wait for it: what dead processes left half done is put in order.
  void hub
    .snapshot()
    .then(() => recover(icebox, stop.signal))
    .catch((error: unknown) => stop.signal.aborted || warn(error))
  return {
    accept: transport.accept,
    transfer: transfers.answer,
    async close(taskGraceMs) {
      await transport.close()
      await tasks.close(taskGraceMs)
      await transfers.close()
      hub.close()
      await leaveSettings.then((leave) => leave()).catch(() => undefined)
      stop.abort()
    },
  }
}

async function recover({ bottles }: Icebox, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await bottles.recover({
    signal,
    progress: () => {},
    notice: () => {},
    confirm: () => Promise.resolve(false),
  })
}
