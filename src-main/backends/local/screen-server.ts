import { constants } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readText } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { RunPaths } from './start-runner.ts'
import { waitUntil } from './wait-until.ts'

/** How long a runner may take to say who it is. */
const BEGIN_MS = 15_000
/** How long an ended server may take to vanish. */
const VANISH_MS = 3000

/** The pipe through which a waiting runner gets its word. */
export const wordOf = (run: RunPaths): string => join(run.dir, 'word')

/** The exact name of the only server in the folder, `<pid>.agent`: a beginning of it would do for the program. */
export async function serverName(address: string): Promise<string | null> {
  const names = await readdir(address).catch(() => [] as string[])
  return names.find((name) => serverPid(name) !== null) ?? null
}

export function serverPid(name: string | null): number | null {
  const pid = /^(\d+)\.agent$/.exec(name ?? '')?.[1]
  return pid === undefined ? null : Number(pid)
}

/** True once it is gone; false when it takes too long. */
export async function vanishes(identity: ProcessIdentity): Promise<boolean> {
  const deadline = performance.now() + VANISH_MS
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false
    await delay(20)
  }
  return true
}

/** The runner says who it is, since nobody else can tell. */
export async function runnerOf(run: RunPaths, signal: AbortSignal): Promise<ProcessIdentity> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(BEGIN_MS)])
  return waitUntil([run.dir], 100, patience, async () => {
    const pid = Number.parseInt((await readText(join(run.dir, 'runner.pid'))) ?? '', 10)
    if (!(pid > 1)) return undefined
    const identity = await identityOf(pid)
    if (!identity) throw bottleError('engine-failed', 'The terminal ended at once.')
    return identity
  })
}

/** The runner opens its end at once; until then there is nobody to hear. */
export async function giveWord(fifo: string, runner: ProcessIdentity): Promise<void> {
  for (;;) {
    const pipe = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENXIO') return null
        throw error
      },
    )
    if (pipe) {
      await pipe.writeFile('go\n').finally(() => pipe.close())
      // Whoever reads all files of the run would wait for ever at this one.
      await rm(fifo, { force: true })
      return
    }
    if (!(await isAlive(runner))) throw bottleError('engine-failed', 'The terminal ended at once.')
    await delay(5)
  }
}
