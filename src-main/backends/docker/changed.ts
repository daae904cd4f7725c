import { createHash } from 'node:crypto'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../backend.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { inspectContainer } from './remove-objects.ts'

/** A digest of the list of changed paths of a container: `null` when it has none to tell. @throws BottleError */
export async function changesFingerprint(engine: Engine, id: string, signal: AbortSignal): Promise<string> {
  const changes = await engine.get<{ Path: string; Kind: number }[] | null>(
    'list changed files',
    `/containers/${id}/changes`,
    signal,
    LONG_MS,
  )
  const lines = (Array.isArray(changes) ? changes : []).map(({ Path, Kind }) => `${Kind} ${Path}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

/**
 * False only when the container has stood still since that snapshot was taken from it: same container, stopped,
 * not run in between, same changed paths. Volumes can't change without a run. @throws BottleError
 */
export async function changedSince(
  engine: Engine,
  ref: RuntimeRef,
  snapshot: Snapshot | null,
  signal: AbortSignal,
): Promise<boolean> {
  const facts = snapshot?.facts
  if (!facts || facts.containerId !== ref.id || !facts.changesFingerprint) return true
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found || found.State.Running || found.State.FinishedAt !== facts.containerFinishedAt) return true
  return (await changesFingerprint(engine, ref.id, signal)) !== facts.changesFingerprint
}
