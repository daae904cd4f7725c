import { close, open, read } from 'node:fs'

/** More than any line about a process or a thread takes. */
const LINE_BYTES = 2048
const PIECE_BYTES = 16_384

/**
 * The one line of a file such as `/proc/<pid>/stat`, which comes in one read; empty when the process is gone. The general
 * way to read a file asks the system twice as often, which tells where all processes are looked at again and again.
 */
export async function readProcLine(path: string): Promise<string> {
  return (await readProc(path, LINE_BYTES, true))?.toString('utf8') ?? ''
}

/** All bytes of a file below `/proc`, whose size nothing tells before; null when it can't be read. */
export function readProcFile(path: string): Promise<Buffer | null> {
  return readProc(path, PIECE_BYTES, false)
}

function readProc(path: string, pieceBytes: number, isOneRead: boolean): Promise<Buffer | null> {
  return new Promise((resolve) => {
    open(path, 'r', (failed, fd) => {
      if (failed) return resolve(null)
      const pieces: Buffer[] = []
      const end = (answer: Buffer | null): void => {
        close(fd, () => resolve(answer))
      }
      const next = (): void => {
        const piece = Buffer.allocUnsafe(pieceBytes)
        read(fd, piece, 0, pieceBytes, null, (broken, count) => {
          // As with a file that is gone: a process ends at any moment.
          if (broken) return end(null)
          pieces.push(piece.subarray(0, count))
          if (isOneRead) end(piece.subarray(0, count))
          else if (count === 0) end(Buffer.concat(pieces))
          else next()
        })
      }
      next()
    })
  })
}
