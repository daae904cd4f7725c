import { randomBytes } from 'node:crypto'
import manifest from '../package.json' with { type: 'json' }
import type { Icebox } from './icebox.ts'
import { createAccess } from './ipc/access.ts'
import { createHttpServer } from './ipc/http-server.ts'
import { listenLoopback } from './ipc/listen.ts'
import { findRendererDir } from './ipc/renderer-dir.ts'
import { removeServeRecord, requestNewLink, writeServeRecord } from './ipc/serve-record.ts'
import { createWarner } from './ipc/warner.ts'
import { bottleError } from './system/bottle-error.ts'

export interface IceboxServer {
  /** The first one-time address. */
  readonly url: string
  readonly port: number
  /** A further one-time address. */
  newLink(): string
  /** Ends connections and tasks in order; agents keep running. */
  close(): Promise<void>
}

export interface ServerOptions {
  readonly icebox: Icebox
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly rendererDir?: string
  /** Aborting it closes the server. */
  readonly signal: AbortSignal
}

/** How long running tasks may take to roll back when the server ends. */
const TASK_GRACE_MS = 15_000

/**
 * Serves the window on 127.0.0.1 to whoever opens a one-time address, over the typed contract.
 * @throws BottleError `exists` when the port is taken, `not-found` when the page was not built.
 */
export async function startServer(options: ServerOptions): Promise<IceboxServer> {
  const { icebox } = options
  options.signal.throwIfAborted()
  const warn = createWarner()
  const rendererDir = options.rendererDir ?? (await findRendererDir())
  const serverId = randomBytes(6).toString('hex')
  const adminKey = randomBytes(32).toString('base64url')
  const access = createAccess(serverId, adminKey)
  const server = createHttpServer({
    access,
    rendererDir,
    newLink: () => newLink(),
    upgrade: (request, socket, head) => {
      background.then(({ accept }) => accept(request, socket, head)).catch(() => socket.destroy())
    },
    transfer: async (request, response, path) => (await background).transfer(request, response, path),
    warn,
  })
  const port = await listenLoopback(server, options.port ?? 0)
  const newLink = (): string => `http://127.0.0.1:${port}/?token=${access.newToken()}`
  // Loads while the browser fetches the page: the address must not wait for schemas and engines.
  const background = import('./ipc/background.ts').then(({ createBackground }) =>
    createBackground(icebox, manifest.version, warn),
  )
  background.catch(warn)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= (async () => {
      options.signal.removeEventListener('abort', onAbort)
      await removeServeRecord(icebox.root, serverId)
      server.close()
      const made = await background.catch(() => undefined)
      await made?.close(TASK_GRACE_MS)
      server.closeAllConnections()
    })()
    return closing
  }
  const onAbort = (): void => void close().catch(warn)
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    options.signal.throwIfAborted()
    await writeServeRecord(icebox.root, { serverId, port, adminKey })
  } catch (error) {
    await close()
    throw error
  }
  return { url: newLink(), port, newLink, close }
}

export interface ServeCommand {
  readonly home?: string | undefined
  readonly port?: number | undefined
  /** Opens the browser; default true. */
  readonly open?: boolean | undefined
  /** Asks the running server for a new address instead of starting one. */
  readonly newLink?: boolean | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
  /** Ends the server. Without it SIGINT and SIGTERM do, and give the exit codes 130 and 143. */
  readonly signal?: AbortSignal | undefined
}

/**
 * `icebox serve`: prints the address, opens it, and serves until it is told to end. Resolves with the exit code.
 * @throws BottleError
 */
export async function runServe(command: ServeCommand): Promise<number> {
  const { openEnd } = await import('./ipc/end-signals.ts')
  const end = openEnd(command.signal)
  try {
    if (command.newLink) {
      const { openStateRoot } = await import('./state/root.ts')
      print(command, await requestNewLink(await openStateRoot(command.home), end.signal), 'New address')
      return end.exitCode()
    }
    await serve(command, end.signal)
    return end.exitCode()
  } finally {
    end.dispose()
  }
}

async function serve(command: ServeCommand, signal: AbortSignal): Promise<void> {
  const port = command.port ?? 0
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw bottleError('usage', 'A port is a whole number from 0 to 65535.')
  }
  const { createIcebox } = await import('./icebox.ts')
  const icebox = await createIcebox(command.home === undefined ? {} : { home: command.home })
  try {
    const server = await startServer({ icebox, port, signal })
    print(command, server.url, 'Icebox is at')
    if (command.open !== false) void openPage(command, server.url)
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    }
    await server.close()
  } finally {
    await icebox.close()
  }
}

function print(command: ServeCommand, url: string, words: string): void {
  process.stdout.write(
    command.json ? `${JSON.stringify({ url })}\n` : command.quiet ? `${url}\n` : `${words} ${url}\n`,
  )
}

async function openPage(command: ServeCommand, url: string): Promise<void> {
  const { openBrowser } = await import('./ipc/open-browser.ts')
  const isOpen = await openBrowser(url)
  if (!isOpen && !command.quiet)
    process.stderr.write('No browser could be opened here; open the address yourself.\n')
}
