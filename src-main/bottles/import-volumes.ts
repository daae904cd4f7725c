import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { VerifiedLayer } from '../artifacts/import/verify-content.ts'
import { syncFolder } from '../state/durable-file.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { Workers } from '../workers/types.ts'

/** Unpacks verified volumes beside the record, durably, each under the name that the record gives it. */
export async function unpackVolumes(
  workers: Workers,
  volumes: readonly VerifiedLayer[],
  parts: Snapshot['volumes'],
  partsDir: string,
  signal: AbortSignal,
): Promise<void> {
  if (volumes.length === 0) return
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  for (const [at, part] of parts.entries()) {
    const volume = volumes[at]
    if (!volume) throw bottleError('internal', `The volume ${part.destination} was not verified.`)
    const handle = await open(join(partsDir, part.file), 'wx', 0o600)
    try {
      for await (const chunk of workers.unpack(volume.file, volume.codec, signal))
        await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  await syncFolder(partsDir)
  await syncFolder(dirname(partsDir))
}
