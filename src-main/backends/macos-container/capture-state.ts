import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonObject, removeDurable, writeDurable } from '../../state/durable-file.ts'
import { bootId } from '../../system/process-identity.ts'

const fileIn = (partsDir: string) => join(partsDir, 'capture.json')

/**
 * Notes, durably and before it is done, that a capture stops a running container: whoever comes after a dead process
 * starts it again. After a restart of the machine nothing of it would run, so the note is worth nothing then.
 */
export async function noteStop(partsDir: string): Promise<void> {
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  await writeDurable(fileIn(partsDir), `${JSON.stringify({ stopped: true, bootId: await bootId() })}\n`)
}

/** The container runs again, or nobody has to start it any more. */
export async function clearStop(partsDir: string): Promise<void> {
  await removeDurable(fileIn(partsDir))
}

/** True when a capture has stopped its container and not started it again. */
export async function isStopNoted(partsDir: string): Promise<boolean> {
  const read = await readJsonObject(fileIn(partsDir))
  if (read.kind === 'absent') return false
  // A torn note was written for nothing else.
  if (read.kind === 'corrupt') return true
  return read.value.stopped === true && read.value.bootId === (await bootId())
}

/** Removes everything that a capture put beside the records. */
export async function removeParts(partsDir: string): Promise<void> {
  await rm(partsDir, { recursive: true, force: true })
}
