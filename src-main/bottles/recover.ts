import { readdir } from 'node:fs/promises'
import type { EngineIntent, RecoverResult } from '../backends/backend.ts'
import { finishRecord, recordSnapshot } from '../backends/freezer.ts'
import { notifyChange } from '../state/changes.ts'
import { quarantine } from '../state/durable-file.ts'
import { clearIntent, readIntent, type WrittenIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { lockHolder, takeLock } from '../state/lock.ts'
import { type Metadata, parseOrder, readMetadata, withRun, writeMetadata } from '../state/metadata.ts'
import { removeTree } from '../state/remove-tree.ts'
import { isBottleError, toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'
import { recordExitLocked } from './run-lifecycle.ts'
import { matchRuntime } from './state-model.ts'

/** Seconds that one bottle's recovery may take: a commit that goes on inside the engine is waited for. */
const RECOVER_MS = 120_000
/** Milliseconds in which an engine tells how a run ended that it lists as ended. */
const WAIT_MS = 2000

/**
 * Reconciles what dead processes left half-done: each bottle with an intent whose process is gone is finished
 * or taken back. What lives is left alone. Returns a sentence per bottle that was touched.
 */
export async function recoverAll(deps: BottleDeps, signal: AbortSignal): Promise<readonly string[]> {
  const sentences: string[] = []
  await removeAbandonedFolders(deps)
  for (const slug of await readSlugs(deps)) {
    const sentence = await recoverOne(deps, slug, signal)
    if (sentence) sentences.push(sentence)
  }
  return sentences
}

/** Recovers one bottle if a dead process left an intent; null when there was nothing to do. */
export async function recoverOne(
  deps: BottleDeps,
  slug: string,
  signal: AbortSignal,
): Promise<string | null> {
  if ((await readIntent(deps.root, slug)) === null) return null
  // Intents are only written under the lock: with nobody holding it, nobody works on it.
  if (await lockHolder(deps.root, slug)) return null
  const release = await takeLock(deps.root, slug, { operation: 'recover', waitMs: 0, signal }).catch(
    (thrown: unknown) => {
      if (isBottleError(thrown) && thrown.code === 'busy') return null
      throw thrown
    },
  )
  if (!release) return null
  try {
    // Read again: whoever held the lock a moment ago may have finished.
    const now = await readIntent(deps.root, slug)
    if (now === null) return null
    const limited = AbortSignal.any([signal, AbortSignal.timeout(RECOVER_MS)])
    return await recoverLocked(deps, slug, now, limited)
  } catch (thrown) {
    const failed = toFailure(thrown, slug)
    await appendJournal(deps.root, slug, {
      op: 'recover',
      outcome: 'failed',
      message: failed.message,
      code: failed.code,
    })
    return `${slug}: not reconciled yet: ${failed.message}`
  } finally {
    await release()
  }
}

function engineIntent(
  deps: BottleDeps,
  slug: string,
  intent: WrittenIntent,
  op: EngineIntent['op'],
): EngineIntent {
  return {
    op,
    slug,
    rootId: deps.root.id,
    stateDir: deps.root.path('state', slug),
    runId: intent.runId,
    // Another engine's runtime is in nobody's way there, and stays until the new run is recorded.
    previous: intent.launch?.backend === undefined ? intent.previous : null,
    runtime: intent.runtime,
    snapshotId: intent.snapshotId,
    target: intent.target,
    startedAt: intent.startedAt,
    formerEnd: intent.launch?.formerEnd ?? null,
  }
}

async function recoverLocked(
  deps: BottleDeps,
  slug: string,
  intent: WrittenIntent | 'corrupt',
  signal: AbortSignal,
): Promise<string> {
  const read = await readMetadata(deps.root, slug)
  const metadata = read.kind === 'ok' ? read.metadata : null
  if (intent === 'corrupt') {
    // It may be all that names a half-made thing, so a copy stays.
    await quarantine(deps.root.dir, deps.root.path('state', slug, 'intent.json'))
    await clearIntent(deps.root, slug)
    return journaled(
      deps,
      slug,
      'An operation was cut off and its record is damaged; the bottle is as the engine has it.',
    )
  }
  // An import runs nothing, so no backend has to put anything in order but its own image or trees.
  if (intent.op === 'import') {
    const { recoverImport } = await import('./recover-import.ts')
    return recoverImport(deps, slug, intent, signal)
  }
  if (intent.op === 'carry') {
    const { recoverCarry } = await import('./carry/recover-carry.ts')
    return recoverCarry(deps, slug, intent, signal)
  }
  const goesTo = intent.launch?.backend
  const backend = await deps.backends.get(goesTo ?? intent.runtime?.backend ?? metadata?.backend ?? '')
  const result = await backend.recover(engineIntent(deps, slug, intent, intent.op), signal)
  if (result.outcome === 'in-doubt') {
    return `${slug}: the engine can't tell yet what became of a ${intent.op}; it is looked at again later.`
  }
  return apply(deps, slug, intent, metadata, result, signal)
}

async function apply(
  deps: BottleDeps,
  slug: string,
  intent: WrittenIntent,
  metadata: Metadata | null,
  result: RecoverResult,
  signal: AbortSignal,
): Promise<string> {
  if (result.outcome === 'captured' && result.captured && intent.draft) {
    await recordSnapshot(deps.root, finishRecord(intent.draft, result.captured))
    await clearIntent(deps.root, slug)
    return journaled(deps, slug, `A freeze that was cut off is complete: ${intent.draft.id}.`)
  }
  if (result.outcome === 'launched' && result.runtime && metadata) {
    const run = recoveredRun(intent, metadata, result.runtime)
    const { launch } = intent
    const moved = launch?.backend === undefined ? metadata : { ...metadata, backend: launch.backend }
    await writeMetadata(deps.root, slug, withRun(moved, run))
    if (launch?.becomesCurrent && launch.fromSnapshot) {
      const { makeCurrent } = await import('./carry/settle-crossing.ts')
      await makeCurrent(deps, slug, launch.fromSnapshot)
    }
    if (launch?.backend !== undefined && intent.previous) {
      const { leaveRuntime } = await import('./carry/settle-crossing.ts')
      await leaveRuntime(deps, intent.previous, signal)
    } else if (intent.previous && intent.previous.backend !== 'host') {
      const backend = await deps.backends.get(intent.previous.backend)
      await backend.remove(intent.previous, signal)
    }
    await clearIntent(deps.root, slug)
    return journaled(deps, slug, `A ${intent.op} that was cut off is complete.`)
  }
  if (result.outcome === 'launched' && !metadata) {
    return `${slug}: a ${intent.op} that was cut off runs, but its metadata can't be read; it was left as it is.`
  }
  const isNew = intent.op === 'start' || intent.op === 'fork' || intent.op === 'adopt'
  if (isNew && metadata?.icebox?.runs.length === 0) {
    await removeTree(deps.root.path('state', slug))
    notifyChange(deps.root, slug)
    return `${slug}: a ${intent.op} that was cut off was taken back; nothing of it is left.`
  }
  if (intent.op === 'stop' && metadata) await recordStopped(deps, slug, metadata, intent, signal)
  await clearIntent(deps.root, slug)
  return journaled(
    deps,
    slug,
    `A ${intent.op} that was cut off was taken back; the bottle is as it was before.`,
  )
}

/** The end that a stop brought about is recorded while the intent still tells that it was asked for. */
async function recordStopped(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  { runtime }: WrittenIntent,
  signal: AbortSignal,
): Promise<void> {
  if (runtime?.backend !== metadata.backend) return
  const backend = await deps.backends.get(metadata.backend)
  const facts = await backend.list(signal, { adopted: new Set([runtime.id]), slugs: [slug] })
  if (matchRuntime(slug, deps.root.id, metadata, facts)?.state !== 'exited') return
  const exit = await backend.wait(runtime, AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]))
  if (exit) await recordExitLocked(deps, backend, slug, runtime.runId, exit, false, signal)
}

function recoveredRun(intent: WrittenIntent, metadata: Metadata, ref: NonNullable<RecoverResult['runtime']>) {
  const known = metadata.icebox?.runs.find((run) => run.id === ref.runId)
  const startedAt = intent.launch?.startedAt
  if (known && startedAt !== undefined && known.startedAt !== startedAt) {
    const order = parseOrder(intent.launch?.order)
    return { ...known, ref, startedAt, exit: null, isStopped: false, isCalledOff: undefined, order }
  }
  return (
    known ?? {
      id: ref.runId,
      startedAt: intent.startedAt,
      interactive: intent.launch?.interactive ?? false,
      fromSnapshot: intent.launch?.fromSnapshot ?? null,
      ref,
      exit: null,
      isStopped: false,
      order: parseOrder(intent.launch?.order),
    }
  )
}

async function journaled(deps: BottleDeps, slug: string, message: string): Promise<string> {
  await appendJournal(deps.root, slug, { op: 'recover', outcome: 'recovered', message })
  return `${slug}: ${message}`
}

/** Folders of starts that died before their rename into place; a living start's lock protects its own. */
async function removeAbandonedFolders(deps: BottleDeps): Promise<void> {
  for (const name of await readdir(deps.root.path('state'))) {
    const slug = /^\.new-(.+)-[0-9a-f]{8}$/.exec(name)?.[1]
    if (!slug || (await lockHolder(deps.root, slug))) continue
    await removeTree(deps.root.path('state', name))
  }
}
