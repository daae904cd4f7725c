import type { Server } from 'node:http'
import { bottleError } from '../system/bottle-error.ts'

/**
 * Listens on 127.0.0.1 and returns the port; 0 takes a free one.
 * @throws BottleError `exists` when the port is taken, `permission` when it is reserved.
 */
export function listenLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, port))
    server.once('error', fail)
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.off('error', fail)
      const address = server.address()
      if (typeof address === 'object' && address) resolve(address.port)
      else reject(bottleError('internal', 'The server has no address.'))
    })
  })
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return bottleError(
      'exists',
      `Port ${port} is taken by another program. Choose another one, or leave --port out.`,
    )
  }
  if (error.code === 'EACCES') {
    return bottleError(
      'permission',
      `Port ${port} is reserved for the system. Choose one above 1023, or leave --port out.`,
    )
  }
  return error
}
