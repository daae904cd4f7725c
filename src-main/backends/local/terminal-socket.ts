import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** The address of a unix socket holds 104 bytes on macOS and 108 on Linux. */
const SOCKET_BYTES = 100

/** Address of a run's terminal server; falls back to a short private folder where the state root's path is too long. */
export async function terminalSocket(home: string, slug: string, runId: string): Promise<string> {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
  const wanted = join(home, 'icebox', 'tmux', `${hash(`${slug} ${runId}`)}.sock`)
  if (Buffer.byteLength(wanted) <= SOCKET_BYTES) return wanted
  return join('/tmp', `icebox-${process.getuid?.() ?? 0}-${hash(home)}`, `${hash(`${slug} ${runId}`)}.sock`)
}
