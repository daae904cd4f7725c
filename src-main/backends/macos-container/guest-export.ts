import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ContainerClient } from './client.ts'
import type { ContainerEntry } from './decode.ts'

/** What is no file of a bottle's, at the top of every file system. */
const NO_FILES: ReadonlySet<string> = new Set(['proc', 'sys', 'dev', 'lost+found'])
/** A file that changes while it is read is told by 1, and is no failure of a bottle that runs. */
const SCRIPT = 'cd / && tar "$@"; code=$?; [ "$code" -le 1 ]'

export interface GuestExport {
  /** Absolute paths whose content is not the bottle's, though the tar may hold it. */
  readonly foreign: readonly string[]
  /** What this way of export lacks beside what all lack. */
  readonly leftOut: readonly string[]
}

/**
 * Lets the container's own `tar` write its files, without stopping it. For containers that others made, on releases
 * that export stopped ones only: such a container may be one that is deleted as soon as it stops, and nothing tells.
 * @throws BottleError `unsupported` for an image without a shell or tar
 */
export async function exportByGuest(
  client: ContainerClient,
  entry: ContainerEntry,
  file: string,
  signal: AbortSignal,
): Promise<GuestExport> {
  const inside = ['exec', '--user', '0', entry.id, '/bin/sh', '-c']
  try {
    const listed = await client.run([...inside, 'ls -1A /'], signal)
    const names = listed.stdout.split('\n').filter((name) => name !== '' && !NO_FILES.has(name))
    const { stdout } = await client.run([...inside, 'tar --version'], signal, { okCodes: 'any' })
    const isGnu = stdout.includes('GNU tar')
    const options = isGnu ? ['--format=posix', '--numeric-owner', '--xattrs', '--xattrs-include=*'] : []
    const words = [...options, '-cf', '-', '--', ...names]
    const content = client.stream([...inside, SCRIPT, 'sh', ...words], signal, EXPORT_MS)
    await pipeline(content, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal })
    return {
      foreign: entry.mounts.map(({ destination }) => destination),
      leftOut: isGnu ? [] : ['extended attributes of files'],
    }
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || thrown.code !== 'engine-failed') throw thrown
    throw bottleError(
      'unsupported',
      `${entry.id} was not made by Icebox, so it may be deleted when it is stopped, and no tar of its own could copy its files while it runs. Update Apple's container to 1.2.1 or newer, or stop ${entry.id} yourself.`,
      { detail: thrown.detail, cause: thrown },
    )
  }
}

const EXPORT_MS = 12 * 3600 * 1000
