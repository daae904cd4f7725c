import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Followed by the id of the process that uses it. */
const PREFIX = 'macos-container-'

/** Lends a folder of the state root for large files on the way to or from the engine; nothing of it stays. */
export async function withScratch<T>(home: string, use: (dir: string) => Promise<T>): Promise<T> {
  const places = join(home, 'icebox')
  await mkdir(places, { recursive: true, mode: 0o700 })
  await sweep(places)
  const dir = await mkdtemp(join(places, `${PREFIX}${process.pid}-`))
  try {
    return await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Removes what a process that died in the middle left behind. */
async function sweep(places: string): Promise<void> {
  for (const name of await readdir(places)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (!Number.isNaN(pid) && !isThere(pid)) await rm(join(places, name), { recursive: true, force: true })
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
