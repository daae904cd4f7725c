import { readdir, readFile, readlink } from 'node:fs/promises'

export interface Leftover {
  readonly pid: number
  readonly command: string
}

/**
 * Processes that still work inside a folder of the test run: by working folder, or by a path in their command line.
 * Tests own what they start, so after a run there must be none. Linux only; elsewhere the list is empty.
 */
export async function processesUnder(dir: string): Promise<readonly Leftover[]> {
  if (process.platform !== 'linux') return []
  const found: Leftover[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    // A process may end while it is being looked at; then it is no leftover.
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '')
    if (command.includes(dir) || cwd.startsWith(dir))
      found.push({ pid, command: command.replaceAll('\0', ' ').trim() })
  }
  return found
}
