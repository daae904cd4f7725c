import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron'
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import { failure, type Result } from '../../src-preload/contract/errors.ts'
import type { StatePatch } from '../../src-preload/contract/index.ts'
import type { Bottles } from '../bottles/services.ts'
import { toFailure } from '../system/bottle-error.ts'
import { isOwnFrame } from './electron-sender.ts'
import { createPortStreams, type PortStreams } from './electron-streams.ts'
import { isWithinSize } from './message-size.ts'
import { createPatchFeed, type PatchFeed } from './patch-feed.ts'
import type { Router } from './router.ts'
import type { StateHub } from './state-hub.ts'

/** The contract over Electron's channels. */
export interface ElectronTransport {
  /** Lets the page of this window in; nobody else's messages are heard. */
  admit(contents: WebContents): void
  /**
   * Answers a further channel of the desktop with the same check of the sender. What the handler throws reaches the
   * page as a value.
   */
  handle(channel: string, answer: (args: readonly unknown[]) => Promise<Result<unknown>>): void
  /** Hears a one-way channel with the same check of the sender. */
  listen(channel: string, heard: (contents: WebContents, args: readonly unknown[]) => void): void
  close(): void
}

export interface ElectronTransportParts {
  readonly ipc: IpcMain
  readonly router: Router
  readonly hub: StateHub
  readonly bottles: Pick<Bottles, 'logs' | 'attach'>
  /** Told of every message that was refused: the channel and where it came from. */
  readonly refused: (channel: string, from: string) => void
}

interface Page {
  /** Bytes of patches on the way to the page. */
  unseen: number
  /** Questions that have no answer yet. */
  pending: number
  readonly feed: PatchFeed
  readonly streams: PortStreams
}

/** Above this many bytes that the page has not seen, it lags. */
const MAX_BACKLOG = 4_194_304
/** A page waits for an answer before it asks hundreds of further things. */
const MAX_PENDING = 128

/** Calls, patches and streams between the one admitted page and the services. */
export function createElectronTransport(parts: ElectronTransportParts): ElectronTransport {
  const { ipc, router, hub } = parts
  const pages = new Map<number, Page>()
  const closers: (() => void)[] = []
  let leaveHub: (() => void) | undefined

  /** The page that sent a message, when it is one that may. */
  const senderOf = (channel: string, event: IpcMainEvent | IpcMainInvokeEvent): Page | undefined => {
    const page = pages.get(event.sender.id)
    if (page && isOwnFrame(event.senderFrame)) return page
    parts.refused(channel, event.senderFrame?.url ?? 'a frame that is gone')
    return undefined
  }
  const answer = (channel: string, run: (args: readonly unknown[]) => Promise<Result<unknown>>): void => {
    ipc.handle(channel, async (event, ...args: unknown[]) => {
      const page = senderOf(channel, event)
      if (!page) return { ok: false, error: failure('denied') }
      if (!isWithinSize(args)) return { ok: false, error: failure('usage', 'The request is too large.') }
      if (page.pending >= MAX_PENDING)
        return { ok: false, error: failure('busy', 'Too many requests at once.') }
      page.pending += 1
      try {
        return await run(args)
      } catch (error) {
        return { ok: false, error: toFailure(error) }
      } finally {
        page.pending -= 1
      }
    })
    closers.push(() => ipc.removeHandler(channel))
  }
  const hear = (
    channel: string,
    heard: (page: Page, args: readonly unknown[], event: IpcMainEvent) => void,
  ): void => {
    const listener = (event: IpcMainEvent, ...args: unknown[]): void => {
      const page = senderOf(channel, event)
      if (page && isWithinSize(args)) heard(page, args, event)
      else for (const port of event.ports) port.close()
    }
    ipc.on(channel, listener)
    closers.push(() => ipc.off(channel, listener))
  }

  answer(DESKTOP_CHANNELS.call, async ([name, args]) =>
    typeof name === 'string' ? router(name, args) : { ok: false, error: failure('usage') },
  )
  hear(DESKTOP_CHANNELS.seen, (page, [bytes]) => {
    if (typeof bytes === 'number' && bytes > 0) page.unseen = Math.max(0, page.unseen - bytes)
  })
  hear(DESKTOP_CHANNELS.open, (page, [wanted], { ports }) => {
    const [port, ...more] = ports
    for (const one of more) one.close()
    if (port) page.streams.serve(port, wanted)
  })

  const broadcast = (patch: StatePatch): void => {
    const frame = JSON.stringify(patch)
    for (const { feed } of pages.values()) feed.push(frame)
  }

  return {
    admit(contents) {
      const page: Page = {
        unseen: 0,
        pending: 0,
        streams: createPortStreams(parts.bottles),
        feed: createPatchFeed(
          {
            backlog: () => page.unseen,
            send(frame) {
              if (contents.isDestroyed()) return
              page.unseen += frame.length
              contents.send(DESKTOP_CHANNELS.event, 'state:patch', JSON.parse(frame), frame.length)
            },
          },
          MAX_BACKLOG,
        ),
      }
      pages.set(contents.id, page)
      leaveHub ??= hub.subscribe(broadcast)
      // A page that is loaded anew has seen nothing of what was on the way to the old one.
      contents.on('did-start-navigation', (details) => {
        if (!details.isMainFrame || details.isSameDocument) return
        page.unseen = 0
        page.streams.closeAll()
      })
      contents.once('destroyed', () => {
        page.feed.close()
        page.streams.closeAll()
        pages.delete(contents.id)
        if (pages.size > 0) return
        leaveHub?.()
        leaveHub = undefined
      })
    },
    handle: answer,
    listen: (channel, heard) => hear(channel, (_page, args, { sender }) => heard(sender, args)),
    close() {
      for (const close of closers.splice(0)) close()
      for (const { feed, streams } of pages.values()) {
        feed.close()
        streams.closeAll()
      }
      pages.clear()
      leaveHub?.()
      leaveHub = undefined
    },
  }
}
