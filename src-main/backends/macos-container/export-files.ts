import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bottleError, toFailure } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { RuntimeRef } from '../backend.ts'
import type { FreezeSubject } from '../freezer.ts'
import { requireContainer } from './capture-scene.ts'
import { clearStop, noteStop } from './capture-state.ts'
import type { ContainerClient } from './client.ts'
import { inspectContainer } from './containers.ts'
import type { GuestExport } from './guest-export.ts'

/** What a capture needs of the backend. */
export interface FreezeParts {
  readonly client: ContainerClient
  /** Absolute path of the state root. */
  readonly home: string
  /** Ends the run's container, agent first; its files stay. */
  readonly stop: (ref: RuntimeRef, signal: AbortSignal) => Promise<void>
  /** Starts a stopped container again as it was: same command, same files, nothing delivered anew. */
  readonly startAgain: (ref: RuntimeRef, signal: AbortSignal) => Promise<void>
}

/** How an export went. */
export interface Exported extends GuestExport {
  readonly notices: readonly string[]
}

/** By the engine itself. */
export const WHOLE: Exported = { foreign: [], leftOut: [], notices: [] }

const LATE_MS = 180_000

/** Stops, exports, and starts again whatever came of it. @throws BottleError */
export async function exportStopped(
  parts: FreezeParts,
  subject: FreezeSubject,
  partsDir: string,
  rootfs: string,
  signal: AbortSignal,
): Promise<Exported> {
  const { runtime, slug } = subject
  // Its agent may have ended while the question was open: then there is nothing to start again.
  const now = await requireContainer(parts.client, subject, signal)
  if (now.state === 'stopped') {
    await exportFiles(parts.client, now.id, rootfs, signal)
    return WHOLE
  }
  await noteStop(partsDir)
  faultPoint('freeze:before-stop')
  let failed: { readonly thrown: unknown } | null = null
  try {
    await parts.stop(runtime, signal)
    faultPoint('freeze:after-stop')
    await exportFiles(parts.client, runtime.id, rootfs, signal)
    faultPoint('freeze:before-start')
  } catch (thrown) {
    failed = { thrown }
  }
  const problem = await startAgain(parts, runtime, partsDir)
  if (failed && problem) {
    const { code, message, detail } = toFailure(failed.thrown, slug)
    throw bottleError(code, `${message} ${problem}`, { slug, detail, cause: failed.thrown })
  }
  if (failed) throw failed.thrown
  return problem ? { ...WHOLE, notices: [problem] } : WHOLE
}

/** Starts a container that a capture stopped; a sentence when that did not work. Uses its own time, not the caller's. */
export async function startAgain(
  parts: Pick<FreezeParts, 'startAgain' | 'client'>,
  runtime: RuntimeRef,
  partsDir: string,
): Promise<string | null> {
  const late = AbortSignal.timeout(LATE_MS)
  try {
    const found = await inspectContainer(parts.client, runtime.id, late)
    if (found && found.state !== 'running') await parts.startAgain(runtime, late)
    await clearStop(partsDir)
    return found ? null : `${runtime.name} was removed when it stopped, so it could not be started again.`
  } catch (thrown) {
    return `${runtime.name} could not be started again: ${toFailure(thrown).message} Its files are safe; icebox resume ${runtime.slug} starts it.`
  }
}

/** The engine's own tar of the files, in a new file of a folder that the caller removes. @throws BottleError */
export async function exportFiles(
  client: ContainerClient,
  id: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await client.run(['export', '--output', file, id], signal, { tempDir: dirname(file) })
  const made = await stat(file).catch(() => null)
  if (!made || made.size === 0)
    throw bottleError('engine-failed', `container says that it exported ${id}, but there is no file.`)
}
