import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What a capture has asked of the engine, kept beside the parts while it is under way: the engine tells nobody
 * whether a commit is running, and a killed client does not stop one.
 */
export interface CaptureState {
  /** The container was paused by the capture itself, around volume copies or a flattening. */
  readonly pausedByUs: boolean
  /** A commit was sent and its answer has not come. */
  readonly committing: boolean
  /** True when the engine's own pause shows that the commit is still running. */
  readonly isSeen: boolean
}

const fileIn = (partsDir: string) => join(partsDir, 'capture.json')

/** Not flushed to disk: if the machine fails, the engine's work is gone too. */
export async function writeCaptureState(partsDir: string, state: CaptureState): Promise<void> {
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  await writeFile(fileIn(partsDir), JSON.stringify(state), { mode: 0o600 })
}

/** Null when no capture is under way; a torn file counts as the worst case. */
export async function readCaptureState(partsDir: string): Promise<CaptureState | null> {
  const text = await readFile(fileIn(partsDir), 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return null
    throw thrown
  })
  if (text === null) return null
  try {
    return JSON.parse(text) as CaptureState
  } catch {
    return { pausedByUs: true, committing: true, isSeen: false }
  }
}

export async function clearCaptureState(partsDir: string): Promise<void> {
  await rm(fileIn(partsDir), { force: true })
}

/** Removes all that a capture wrote beside the record. */
export async function removeParts(partsDir: string): Promise<void> {
  await rm(partsDir, { recursive: true, force: true })
}
