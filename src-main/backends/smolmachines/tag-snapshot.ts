import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { SmolContext } from './context.ts'
import { snapshotFolder } from './run-paths.ts'

/**
 * Takes a pack that another program made (bot-bottle keeps one beside its records) under a name of our own, and leaves
 * the original as it is; null when it is gone.
 */
export async function tagSnapshotFile(
  context: SmolContext,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<{ readonly reference: string; readonly digest: string } | null> {
  const found = await stat(snapshot.reference).catch(() => null)
  if (!found?.isFile() || !snapshot.reference.endsWith('.smolmachine')) return null
  const folder = snapshotFolder(context.home, snapshot)
  const reference = join(folder, 'bottle.smolmachine')
  const temp = `${reference}.partial`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await copyFile(snapshot.reference, temp, constants.COPYFILE_FICLONE)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(temp, { signal })) hash.update(chunk as Buffer)
    await rename(temp, reference)
    return { reference, digest: `sha256:${hash.digest('hex')}` }
  } finally {
    await rm(temp, { force: true })
  }
}
