import { EventEmitter } from 'node:events'
import type { MessageEvent as PortEvent } from 'electron'
import { notHere } from './strict.ts'

/** What carries messages of a port away: its twin in this process, or a port of the page. */
export interface PortPeer {
  post(data: unknown): void
  close(): void
}

/** Electron's end of a message channel in the main process. */
export class MessagePortMain extends EventEmitter {
  readonly #queue: unknown[] = []
  #peer: PortPeer | undefined
  #isStarted = false
  #isClosed = false
  #isGivenAway = false

  postMessage(message: unknown, transfer: readonly MessagePortMain[] = []): void {
    if (transfer.length > 0) notHere('ports that pass ports')
    const data = structuredClone(message)
    if (!this.#isClosed && !this.#isGivenAway) this.#peer?.post(data)
  }

  start(): void {
    this.#isStarted = true
    for (const data of this.#queue.splice(0)) this.#tell(data)
  }

  close(): void {
    if (this.#isClosed || this.#isGivenAway) return
    this.#isClosed = true
    this.#peer?.close()
    setImmediate(() => this.emit('close'))
  }

  /** @internal */
  connect(peer: PortPeer): void {
    this.#peer = peer
  }

  /** @internal what arrives from the other end */
  arrive(data: unknown): void {
    if (this.#isClosed) return
    if (this.#isStarted) this.#tell(data)
    else this.#queue.push(data)
  }

  /** @internal the other end was closed */
  endedByPeer(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.emit('close')
  }

  /** @internal gives this end to a page; what waited goes along */
  giveAway(): { readonly peer: PortPeer | undefined; readonly waiting: readonly unknown[] } {
    if (this.#isGivenAway || this.#isClosed) throw new Error('Port at index 0 is already neutered')
    this.#isGivenAway = true
    return { peer: this.#peer, waiting: this.#queue.splice(0) }
  }

  #tell(data: unknown): void {
    const event: PortEvent = { data, ports: [] }
    setImmediate(() => this.#isClosed || this.emit('message', event))
  }
}

/** Two ends that are joined. */
export class MessageChannelMain {
  readonly port1: MessagePortMain
  readonly port2: MessagePortMain

  constructor() {
    this.port1 = new MessagePortMain()
    this.port2 = new MessagePortMain()
    join(this.port1, this.port2)
    join(this.port2, this.port1)
  }
}

function join(from: MessagePortMain, to: MessagePortMain): void {
  from.connect({ post: (data) => to.arrive(data), close: () => to.endedByPeer() })
}

/** The far ends that one page holds. */
export class PagePorts {
  readonly #ports = new Map<number, { arrive(data: unknown): void; ended(): void }>()
  readonly #toPage: (message: { port: number; data: unknown } | { port: number; isClosed: true }) => void
  // Even here, odd in the page.
  #last = 0

  constructor(toPage: (message: { port: number; data: unknown } | { port: number; isClosed: true }) => void) {
    this.#toPage = toPage
  }

  /** The near end of a port that the page sent. */
  fromPage(port: number): MessagePortMain {
    const near = new MessagePortMain()
    near.connect(this.#peer(port))
    this.#ports.set(port, { arrive: (data) => near.arrive(data), ended: () => near.endedByPeer() })
    return near
  }

  /** Gives a port to the page; the number under which the page knows it. */
  toPage(given: MessagePortMain): number {
    const { peer, waiting } = given.giveAway()
    this.#last += 2
    const port = this.#last
    const far = this.#peer(port)
    // What the twin posts to the port that went away arrives there as before: it is passed on.
    given.arrive = (data) => far.post(data)
    given.endedByPeer = () => far.close()
    this.#ports.set(port, { arrive: (data) => peer?.post(data), ended: () => peer?.close() })
    // After the message that carries the port itself.
    queueMicrotask(() => {
      for (const data of waiting) far.post(data)
    })
    return port
  }

  arrive(port: number, data: unknown): void {
    this.#ports.get(port)?.arrive(data)
  }

  closedByPage(port: number): void {
    this.#ports.get(port)?.ended()
    this.#ports.delete(port)
  }

  /** The page is gone, and every port that it held. */
  closeAll(): void {
    for (const port of [...this.#ports.keys()]) this.closedByPage(port)
  }

  #peer(port: number): PortPeer {
    return {
      post: (data) => this.#toPage({ port, data }),
      close: () => {
        this.#ports.delete(port)
        this.#toPage({ port, isClosed: true })
      },
    }
  }
}
