import { type FSWatcher, mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './chromium.ts'

/** What a second process tells the first. */
export interface SecondInstance {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly additionalData: unknown
}

const MAIL = 'standin-second-instance'

/**
 * One process per user-data folder, decided without waiting, as in Electron. False: another one holds the lock and has
 * been told.
 */
export function takeSingleInstanceLock(
  userData: string,
  told: SecondInstance,
  heard: (second: SecondInstance) => void,
): { release(): void } | false {
  mkdirSync(join(userData, MAIL), { recursive: true })
  const file = join(userData, 'standin-single-instance')
  if (!claim(file)) {
    const mail = join(userData, MAIL, `${process.pid}-${Date.now()}.json`)
    writeFileSync(`${mail}.part`, JSON.stringify(told))
    renameSync(`${mail}.part`, mail)
    return false
  }
  const watcher = watchMail(join(userData, MAIL), heard)
  let isReleased = false
  const release = (): void => {
    if (isReleased) return
    isReleased = true
    watcher.close()
    rmSync(file, { force: true })
  }
  process.once('exit', release)
  return { release }
}

function claim(file: string): boolean {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (isAlive(Number(readFileSync(file, 'utf8')))) return false
      rmSync(file, { force: true })
    }
  }
}

function watchMail(dir: string, heard: (second: SecondInstance) => void): FSWatcher {
  const watcher = watch(dir, (_kind, name) => {
    if (!name?.endsWith('.json')) return
    const file = join(dir, name)
    try {
      const second = JSON.parse(readFileSync(file, 'utf8')) as SecondInstance
      rmSync(file)
      heard(second)
    } catch (error) {
      // Told once by each of several changes of the same file.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  })
  watcher.unref()
  return watcher
}
