import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Followed by the id of the process that uses it. */
const PREFIX = 'smolmachines-'

/** A folder of this process beside the state, gone afterwards; what dead processes left goes with it. */
export async function withScratch<T>(home: string, use: (folder: string) => Promise<T>): Promise<T> {
  const places = join(home, 'icebox', 'scratch')
  await mkdir(places, { recursive: true, mode: 0o700 })
  for (const name of await readdir(places)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (!Number.isNaN(pid) && !isThere(pid)) await rm(join(places, name), { recursive: true, force: true })
  }
  const folder = await mkdtemp(join(places, `${PREFIX}${process.pid}-`))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
