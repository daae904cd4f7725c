import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { readJsonObject, syncFolder, writeDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured } from '../backend.ts'
import type { CaptureWay } from './capture-plan.ts'
import { type ArtifactName, artifactPath } from './run-paths.ts'

/** What a snapshot is called beside its record, by the way it was made; smolvm tells them apart by these endings. */
export const ARTIFACTS: Readonly<Record<CaptureWay['kind'], ArtifactName>> = {
  pack: 'bottle.smolmachine',
  checkpoint: 'bottle.smolcheckpoint',
  'guest-tar': 'image.tar',
}
const PARTIAL = 'partial'
const STATE = 'capture.json'
const RESULT = 'captured.json'

/** @throws BottleError `snapshot-missing` */
export async function requireArtifact(
  home: string,
  snapshot: Pick<Snapshot, 'slug' | 'id' | 'reference'>,
): Promise<string> {
  const { path } = artifactPath(home, snapshot)
  const found = await lstat(path).catch(() => null)
  if (found?.isFile()) return path
  throw bottleError('snapshot-missing', `The file of ${snapshot.slug}@${snapshot.id} is gone (${path}).`, {
    slug: snapshot.slug,
  })
}

/** Which way a file was made, by its name; null for a stranger. Pure. */
export function wayOf(reference: string): CaptureWay['kind'] | null {
  const name = basename(reference)
  return (Object.keys(ARTIFACTS) as CaptureWay['kind'][]).find((kind) => ARTIFACTS[kind] === name) ?? null
}

/** An empty folder for what is not whole yet: on the same file system, and gone with the snapshot's own. */
export async function makePartial(partsDir: string): Promise<string> {
  const partial = join(partsDir, PARTIAL)
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true, mode: 0o700 })
  return partial
}

export async function dropPartial(partsDir: string): Promise<void> {
  await rm(join(partsDir, PARTIAL), { recursive: true, force: true })
}

/** Puts a whole file in its place: on the disk before it has its name. */
export async function publish(partsDir: string, from: string, name: string): Promise<string> {
  const handle = await open(from, 'r')
  try {
    await handle.chmod(0o600)
    await handle.sync()
  } finally {
    await handle.close()
  }
  const to = join(partsDir, name)
  await rename(from, to)
  await syncFolder(partsDir)
  return to
}

/** What a capture has done to the bottle, so that whoever comes after a death can set it right. */
export interface CaptureState {
  readonly machine: string
  readonly wasRunning: boolean
  /** The runner was told to wait for the agent's machine. */
  readonly isHeld: boolean
}

/** Durable: a machine that stays stopped after a power cut must be known to have run. */
export async function writeCaptureState(partsDir: string, state: CaptureState): Promise<void> {
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  await writeDurable(join(partsDir, STATE), JSON.stringify(state))
}

/** Null when nothing was done to the bottle. A damaged file counts as the worst case. */
export async function readCaptureState(partsDir: string): Promise<CaptureState | 'damaged' | null> {
  const read = await readJsonObject(join(partsDir, STATE))
  if (read.kind === 'absent') return null
  if (read.kind === 'corrupt') return 'damaged'
  const { machine, wasRunning, isHeld } = read.value
  return typeof machine === 'string'
    ? { machine, wasRunning: wasRunning === true, isHeld: isHeld === true }
    : 'damaged'
}

export async function clearCaptureState(partsDir: string): Promise<void> {
  await rm(join(partsDir, STATE), { force: true })
}

/** The end of a capture: from here on recovery takes it for whole. */
export async function writeResult(partsDir: string, captured: Captured): Promise<void> {
  await writeDurable(join(partsDir, RESULT), JSON.stringify(captured))
}

/** What a capture that a process finished before it died has made; null when it is not whole. */
export async function readResult(partsDir: string): Promise<Captured | null> {
  const read = await readJsonObject(join(partsDir, RESULT))
  if (read.kind !== 'ok') return null
  const captured = read.value as unknown as Captured
  if (typeof captured.reference !== 'string' || typeof captured.facts !== 'object') return null
  const found = await lstat(join(partsDir, basename(captured.reference))).catch(() => null)
  return found?.isFile() && found.size === captured.facts.fileBytes ? captured : null
}

/** Removes all that a capture wrote, and the empty folder of snapshots with it. */
export async function dropParts(partsDir: string): Promise<void> {
  await rm(partsDir, { recursive: true, force: true })
}

/** A folder of ours, from an intent: `state/<slug>/snapshots/<id>.d`. Null for anything else. Pure. */
export function ownPartsDir(stateDir: string, snapshotId: string | null): string | null {
  if (!snapshotId || !/^\d{8}T\d{6}Z-[0-9a-z]{4}$/.test(snapshotId)) return null
  const snapshots = resolve(stateDir, 'snapshots')
  const path = join(snapshots, `${snapshotId}.d`)
  return path.startsWith(snapshots + sep) ? path : null
}

/** Bytes that files of a machine take on the disk; holes don't count. Two levels, since disks lie on the first. */
export async function diskBytes(folder: string, depth = 2): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  let sum = 0
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isFile()) sum += ((await lstat(path).catch(() => null))?.blocks ?? 0) * 512
    else if (entry.isDirectory() && depth > 1) sum += await diskBytes(path, depth - 1)
  }
  return sum
}
