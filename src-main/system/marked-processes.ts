import { readdir, readFile } from 'node:fs/promises'

/**
 * Ends every process that has exactly this `NAME=value` among the variables it was started with, wherever it has put
 * itself. Only where the system shows it (Linux); elsewhere nothing happens.
 */
export async function killMarked(marker: string): Promise<void> {
  if (process.platform !== 'linux') return
  // One that is about to fork shows its child only at the second look.
  for (let look = 0; look < 3; look++) {
    const found = await marked(marker)
    if (found.length === 0) return
    for (const pid of found) kill(pid)
  }
}

/** False when all that is left of a process group has ended and waits for nobody; true where that can't be told. */
export async function hasLivingMember(group: number): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const found = await eachProcess(async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // Field 2 is the name in parentheses and may hold blanks; then state, parent and group.
    const [state, , member] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(member) === group && state !== 'Z' && state !== 'X'
  })
  return found.length > 0
}

async function marked(marker: string): Promise<readonly number[]> {
  const needle = Buffer.from(`${marker}\0`)
  const found = await eachProcess(async (pid) => {
    // Another user's, or one that has just ended.
    const environment = await readFile(`/proc/${pid}/environ`).catch(() => null)
    return environment?.includes(needle) === true
  })
  return found.filter((pid) => pid !== process.pid)
}

async function eachProcess(fits: (pid: number) => Promise<boolean>): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(async (pid) => ((await fits(pid)) ? [pid] : [])))
  return found.flat()
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
