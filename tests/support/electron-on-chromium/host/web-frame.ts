import { EventEmitter } from 'node:events'
import { standIn } from './runtime.ts'
import { strict } from './strict.ts'

export interface FrameOwner {
  evaluate(frame: WebFrame, code: string): Promise<unknown>
  sendTo(frame: WebFrame, channel: string, args: readonly unknown[]): void
}

let lastRoutingId = 0

/** One frame of a page, as main sees it. */
export class WebFrame extends EventEmitter {
  readonly parent: WebFrame | null
  readonly routingId: number
  readonly frameTreeNodeId: number
  readonly processId = process.pid
  readonly frames: WebFrame[] = []
  /** As Chromium loaded it. */
  loaded = 'about:blank'
  name = ''
  detached = false
  /** Contexts of the page's own world and of the preload's, while the document lives. */
  readonly contexts: { page: string | undefined; preload: string | undefined } = {
    page: undefined,
    preload: undefined,
  }
  readonly owner: FrameOwner

  constructor(owner: FrameOwner, parent: WebFrame | null) {
    super()
    lastRoutingId += 1
    this.owner = owner
    this.parent = parent
    this.routingId = lastRoutingId
    this.frameTreeNodeId = lastRoutingId
  }

  get url(): string {
    return standIn.server.fromChromium(this.loaded)
  }

  get origin(): string {
    if (!URL.canParse(this.url)) return 'null'
    const { protocol, host } = new URL(this.url)
    return host ? `${protocol}//${host}` : 'null'
  }

  get top(): WebFrame {
    return this.parent?.top ?? this
  }

  get framesInSubtree(): WebFrame[] {
    return [this, ...this.frames.flatMap((frame) => frame.framesInSubtree)]
  }

  isDestroyed(): boolean {
    return this.detached
  }

  send(channel: string, ...args: unknown[]): void {
    this.owner.sendTo(this, channel, args)
  }

  executeJavaScript(code: string): Promise<unknown> {
    return this.owner.evaluate(this, code)
  }
}

export function makeFrame(owner: FrameOwner, parent: WebFrame | null): WebFrame {
  const frame = strict('WebFrameMain', new WebFrame(owner, parent))
  parent?.frames.push(frame)
  return frame
}
