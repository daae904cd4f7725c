import { constants } from 'node:fs'
import { chmod, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireSlug } from '../../state/slug.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ExitFact } from '../backend.ts'
import { type RunRecipe, runFiles } from '../guest/run-files.ts'
import { copyFolder } from './copy-folder.ts'
import { COPIED_FOLDER, placeScript, startScript } from './start-script.ts'

const RUN = /^[0-9a-zA-Z]{1,40}$/
/** More than any file that a start script writes. */
const READ_BYTES = 65_536

/** The folders of one run on this machine. Nobody but this user gets into `dir`. */
export interface RunFolder {
  readonly dir: string
  /** Bound to `/run/icebox`, so everything in it may be the work of the agent by now. */
  readonly guest: string
  /** Output of an interactive run's terminal. */
  readonly log: string
  readonly runner: string
  readonly launch: string
  /** Written by the runner of an interactive run; the agent's own end is in `guest`. */
  readonly exit: string
}

/** Pure. @throws BottleError for a slug or run id that can't be part of a path */
export function runFolder(home: string, slug: string, runId: string): RunFolder {
  if (!RUN.test(runId)) throw bottleError('internal', `${JSON.stringify(runId)} is not a run id.`)
  const dir = join(home, 'state', requireSlug(slug), 'run', runId)
  return {
    dir,
    guest: join(dir, 'guest'),
    log: join(dir, 'terminal.log'),
    runner: join(dir, 'runner.sh'),
    launch: join(dir, 'launch.sh'),
    exit: join(dir, 'exit.json'),
  }
}

/** What a container is to run, and where. */
export interface RunDelivery {
  readonly recipe: RunRecipe
  readonly hasTerminal: boolean
  readonly workdir: string | null
  /** Folder of this machine that is copied into the working folder. */
  readonly copied: string | null
}

/**
 * Makes the folder that the container sees, anew: what an earlier run of the container left there is never written
 * through, only thrown away. The tally of starts goes on. @throws BottleError
 */
export async function fillRunFolder(
  folder: RunFolder,
  delivery: RunDelivery,
  signal: AbortSignal,
): Promise<void> {
  const starts = (await readStarts(folder)) ?? ''
  await mkdir(folder.dir, { recursive: true, mode: 0o700 })
  await chmod(folder.dir, 0o700)
  const fresh = `${folder.guest}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { mode: 0o755 })
  for (const entry of runFiles(delivery.recipe)) {
    const path = join(fresh, entry.name)
    if (entry.type === 'directory') await mkdir(path, { recursive: true })
    else {
      const content = entry.name === 'start' ? startScript(delivery.hasTerminal) : entry.content
      await writeFile(path, content, { flag: 'wx' })
    }
    // Beyond the umask: the agent may run as any user.
    await chmod(path, entry.mode)
  }
  const place = placeScript(delivery.workdir, delivery.copied !== null)
  await writeFile(join(fresh, 'place.sh'), place, { flag: 'wx' })
  await chmod(join(fresh, 'place.sh'), 0o444)
  for (const [name, content] of [
    ['starts', starts === '' ? '' : `${starts}r`],
    ['exit.json', `${' '.repeat(63)}\n`],
    ['agent.pid', ' '.repeat(16)],
  ] as const) {
    await writeFile(join(fresh, name), content, { flag: 'wx' })
    await chmod(join(fresh, name), 0o666)
  }
  if (delivery.copied) await copyFolder(delivery.copied, join(fresh, COPIED_FOLDER), signal)
  const old = `${folder.guest}.old`
  await rm(old, { recursive: true, force: true })
  await rename(folder.guest, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(fresh, folder.guest)
  await rm(old, { recursive: true, force: true })
}

/** Removes what the agent was given, secrets first of all; what tells of its end stays. Idempotent. */
export async function wipeRunFolder(folder: RunFolder): Promise<void> {
  for (const name of ['env', 'argv', 'home.sh', 'place.sh', 'home', COPIED_FOLDER]) {
    await rm(join(folder.guest, name), { recursive: true, force: true })
  }
  await rm(folder.launch, { force: true })
}

/** The copy has been taken into the bottle; it need not be kept twice. */
export async function dropCopied(folder: RunFolder): Promise<void> {
  await rm(join(folder.guest, COPIED_FOLDER), { recursive: true, force: true })
}

/** Removes the run's folder with everything in it. */
export async function removeRunFolder(folder: RunFolder): Promise<void> {
  await rm(folder.dir, { recursive: true, force: true })
}

/** How often the container and its agent began, as letters; null when that is not known. */
export async function readStarts(folder: RunFolder): Promise<string | null> {
  const found = await readGuestFile(join(folder.guest, 'starts'))
  return found === null ? null : found.text
}

/** True once the agent of the newest start has begun. Pure. */
export const hasBegun = (starts: string | null, before: string): boolean =>
  (starts ?? '').slice(before.length).includes('g')

/** How the agent ended, as the start script wrote it down; null when it did not. */
export async function readExit(folder: RunFolder): Promise<ExitFact | null> {
  const found = await readGuestFile(join(folder.guest, 'exit.json'))
  if (!found || found.text.trim() === '') return null
  try {
    const { exitCode } = JSON.parse(found.text) as { exitCode?: unknown }
    return { exitCode: Number.isInteger(exitCode) ? (exitCode as number) : null, endedAt: found.modified }
  } catch {
    // An unreadable result is an unknown one, never a missing one.
    return { exitCode: null, endedAt: found.modified }
  }
}

/** The agent's process number inside, for a stop; null when it is not known. */
export async function readAgentPid(folder: RunFolder): Promise<number | null> {
  const found = await readGuestFile(join(folder.guest, 'agent.pid'))
  const pid = Number(found?.text.trim())
  return Number.isInteger(pid) && pid > 1 ? pid : null
}

/** Reads a small file that the agent may have replaced by anything: no link is followed, nothing is waited for. */
async function readGuestFile(path: string): Promise<{ text: string; modified: string } | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES'].includes(error.code ?? '')) return null
    throw error
  })
  if (!file) return null
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > READ_BYTES) return null
    const buffer = Buffer.alloc(found.size)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return { text: buffer.toString('utf8', 0, bytesRead), modified: found.mtime.toISOString() }
  } finally {
    await file.close()
  }
}
