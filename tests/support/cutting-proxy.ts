import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A plain TCP proxy on loopback that counts bytes and breaks connections when it is told to. */
export interface CuttingProxy {
  readonly host: string
  /** Bytes that went to the server and came back since the last `reset`. */
  readonly sent: () => number
  readonly received: () => number
  /** How many connections were broken on purpose. */
  readonly cuts: () => number
  /**
   * Counts anew; all connections break once so many bytes have passed in that direction, once per number. Slow: a pause
   * after each piece, so that somebody who looks on sees what is half-way.
   */
  reset(plan?: ProxyPlan): void
  /** While true every connection is refused. */
  refuse(isRefusing: boolean): void
  stop(): Promise<void>
}

interface ProxyPlan {
  readonly afterSent?: readonly number[]
  readonly afterReceived?: readonly number[]
  readonly isSlow?: boolean
}

export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const [hostname = '', port = ''] = target.split(':')
  const open = new Set<Socket>()
  let [sent, received, cuts] = [0, 0, 0]
  let afterSent: number[] = []
  let afterReceived: number[] = []
  let isRefusing = false
  let isSlow = false

  const rest = (socket: Socket) => {
    if (!isSlow) return
    socket.pause()
    setTimeout(() => socket.resume(), 2)
  }

  const cutAll = () => {
    cuts += 1
    // What was counted as passed still arrives: bytes that a cut loses would look like bytes sent twice.
    for (const socket of open) socket.pause().destroySoon()
  }
  const server = createServer((client) => {
    if (isRefusing) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        client.destroySoon()
        upstream.destroySoon()
      })
    }
    client.on('data', (chunk) => {
      sent += chunk.length
      if (!upstream.write(chunk)) client.pause()
      else rest(client)
      if (sent < (afterSent[0] ?? Number.POSITIVE_INFINITY)) return
      afterSent.shift()
      cutAll()
    })
    upstream.on('drain', () => client.resume())
    upstream.on('data', (chunk) => {
      received += chunk.length
      if (!client.write(chunk)) upstream.pause()
      else rest(upstream)
      if (received < (afterReceived[0] ?? Number.POSITIVE_INFINITY)) return
      afterReceived.shift()
      cutAll()
    })
    client.on('drain', () => upstream.resume())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    received: () => received,
    cuts: () => cuts,
    reset(plan = {}) {
      ;[sent, received, cuts] = [0, 0, 0]
      afterSent = [...(plan.afterSent ?? [])]
      afterReceived = [...(plan.afterReceived ?? [])]
      isSlow = plan.isSlow ?? false
    },
    refuse(value) {
      isRefusing = value
      if (value) for (const socket of open) socket.resetAndDestroy()
    },
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
