import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { MultiplexerName } from './multiplexer.ts'

/** The address of a unix socket holds 104 bytes on macOS and 108 on Linux. */
const SOCKET_BYTES = 100

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
const shortFolder = (home: string): string => join('/tmp', `icebox-${process.getuid?.() ?? 0}-${hash(home)}`)

/** Address of a run's terminal server; falls back to a short private folder where the state root's path is too long. */
export async function terminalSocket(home: string, slug: string, runId: string): Promise<string> {
  const wanted = join(home, 'icebox', 'tmux', `${hash(`${slug} ${runId}`)}.sock`)
  if (Buffer.byteLength(wanted) <= SOCKET_BYTES) return wanted
  return join(shortFolder(home), `${hash(`${slug} ${runId}`)}.sock`)
}

/** `/<pid>.agent` below a folder of one server of screen. */
const SCREEN_BYTES = SOCKET_BYTES - '/1234567.agent'.length

/** Where a run's terminal is reached: a socket of tmux, or a folder of screen's own. */
export async function terminalAddress(
  multiplexer: MultiplexerName,
  home: string,
  slug: string,
  runId: string,
): Promise<string> {
  if (multiplexer === 'tmux') return terminalSocket(home, slug, runId)
  const name = hash(`${slug} ${runId}`)
  const wanted = join(home, 'icebox', 'screen', name)
  if (Buffer.byteLength(wanted) <= SCREEN_BYTES) return wanted
  return join(shortFolder(home), name)
}
