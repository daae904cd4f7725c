import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { EngineIntent, RecoverResult, RuntimeRef } from '../backend.ts'
import { readCaptureState, removeParts } from './capture-state.ts'
import { hasParts } from './capture-volumes.ts'
import { readFacts } from './docker-facts.ts'
import type { Engine } from './engine.ts'
import { isMissing } from './engine-errors.ts'
import { familyOf, rebuildRef } from './find-runtime.ts'
import { removeScratch } from './flatten.ts'
import { inspectImage } from './image-source.ts'
import { buildRepository, containerName, LABEL, previousName, scratchMark } from './labels.ts'
import { renameContainer } from './launch.ts'
import {
  inspectContainer,
  removeContainer,
  removeNetwork,
  removeTag,
  removeVolume,
} from './remove-objects.ts'
import { unpauseContainer } from './run-life.ts'
import { settleTarget } from './settle-capture.ts'
import { wasStarted } from './unit.ts'

const SETTLE_MS = 30_000
const FRESH_MS = 60_000
const LATE_CREATE_MS = 1000
/** After this long no commit of a dead client is expected any more. */
const GIVE_UP_MS = 10 * 60_000

/** Puts the engine in order after a process died in the middle of an operation. @throws BottleError */
export async function recoverEngine(
  engine: Engine,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  if (intent.op === 'freeze') return recoverFreeze(engine, intent, signal)
  if (intent.op === 'start' || intent.op === 'resume' || intent.op === 'fork')
    return recoverLaunch(engine, intent, signal)
  if (intent.op === 'restart' && (await hasRunAgain(engine, intent, signal)) && intent.runtime) {
    return { outcome: 'launched', runtime: mayHoldSecrets(intent.runtime), captured: null }
  }
  const runtime = intent.runtime ? await inspectContainer(engine, intent.runtime.id, signal) : null
  // Stop, destroy, adopt and a restart that started nothing can be repeated from any point: nothing is undone here.
  return { outcome: 'rolled-back', runtime: runtime ? intent.runtime : null, captured: null }
}

/**
 * True when a restart that was cut off started its container, by the engine's own clock; looked at for a little longer
 * when a request of the dead process may still be at work.
 */
async function hasRunAgain(engine: Engine, intent: EngineIntent, signal: AbortSignal): Promise<boolean> {
  const { runtime, startedAt, formerEnd } = intent
  const until = Date.now() - Date.parse(startedAt) < FRESH_MS ? Date.now() + LATE_CREATE_MS : 0
  const before = Date.parse(formerEnd ?? startedAt)
  while (runtime) {
    const found = await inspectContainer(engine, runtime.id, signal)
    if (!found) return false
    // It had been stopped before, so one that runs was started by the restart.
    if (found.State.Running || Date.parse(found.State.StartedAt) >= before) return true
    if (Date.now() > until) return false
    await sleep(100, undefined, { signal })
  }
  return false
}

/** What was delivered to it and its sidecars is not known any more, so all of it is wiped at its end. */
function mayHoldSecrets(runtime: RuntimeRef): RuntimeRef {
  const { sidecars } = readFacts(runtime)
  const marked = Object.entries(sidecars).map(([id, one]) => [id, { ...one, mayHoldSecrets: true }])
  return {
    ...runtime,
    facts: { ...runtime.facts, mayHoldSecrets: true, sidecars: Object.fromEntries(marked) },
  }
}

async function recoverLaunch(
  engine: Engine,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runId, rootId, slug, previous } = intent
  const agent = runId ? await agentOf(engine, rootId, runId, intent.startedAt, signal) : null
  if (agent && wasStarted(agent.State.StartedAt)) {
    return { outcome: 'launched', runtime: await rebuildRef(engine, agent, signal), captured: null }
  }
  if (runId) await removeUnstarted(engine, rootId, slug, runId, agent?.Id ?? null, signal)
  if (previous) await renameBack(engine, intent, signal)
  return { outcome: 'rolled-back', runtime: previous, captured: null }
}

/** The run's container; looked for a little longer when a request of the dead process may still be at work. */
async function agentOf(
  engine: Engine,
  rootId: string,
  runId: string,
  startedAt: string,
  signal: AbortSignal,
) {
  const filters = { label: [`${LABEL.root}=${rootId}`, `${LABEL.run}=${runId}`, `${LABEL.role}=agent`] }
  const until = Date.now() - Date.parse(startedAt) < FRESH_MS ? Date.now() + LATE_CREATE_MS : 0
  for (;;) {
    const [row] = await engine.call(`look for run ${runId}`, signal, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    )
    if (row) return inspectContainer(engine, row.Id, signal)
    if (Date.now() > until) return null
    await sleep(100, undefined, { signal })
  }
}

/** A run that never started holds no work: its volumes are fresh copies of what a snapshot or image still has. */
async function removeUnstarted(
  engine: Engine,
  rootId: string,
  slug: string,
  runId: string,
  agentId: string | null,
  signal: AbortSignal,
): Promise<void> {
  const family = await familyOf(engine, rootId, runId, signal)
  if (agentId) await removeContainer(engine, agentId, signal)
  for (const { id } of family.sidecars) await removeContainer(engine, id, signal)
  for (const id of family.networks) await removeNetwork(engine, id, signal)
  for (const name of family.volumes) await removeVolume(engine, name, signal)
  await removeTag(engine, `${buildRepository(slug)}:${runId}`, signal)
}

async function renameBack(engine: Engine, intent: EngineIntent, signal: AbortSignal): Promise<void> {
  const { previous, slug } = intent
  const name = containerName(slug)
  if (!previous || previous.name !== name) return
  const found = await inspectContainer(engine, previous.id, signal)
  if (found?.Name !== `/${previousName(slug, previous.runId)}`) return
  try {
    await renameContainer(engine, previous.id, name, signal)
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
  }
}

async function recoverFreeze(
  engine: Engine,
  intent: EngineIntent,
  signal: AbortSignal,
): Promise<RecoverResult> {
  const { runtime, target, snapshotId } = intent
  const discarded: RecoverResult = { outcome: 'discarded', runtime, captured: null }
  if (!runtime || !target || !snapshotId) return discarded
  const partsDir = join(intent.stateDir, 'snapshots', `${snapshotId}.d`)
  const state = await readCaptureState(partsDir)
  await removeScratch(engine, scratchMark(intent.rootId, intent.slug), signal)
  const outcome = await settleTarget(engine, runtime.id, target, state, SETTLE_MS, signal)
  if (state?.pausedByUs) await unpauseContainer(engine, runtime.id, signal)
  if (outcome === 'present') {
    const captured = await adoptTarget(engine, target, snapshotId, partsDir, signal)
    if (captured) return { outcome: 'captured', runtime, captured }
    await removeTag(engine, target, signal)
  }
  const age = Date.now() - Date.parse(intent.startedAt)
  // The state file stays while in doubt: it is what says that a commit may still come.
  if (outcome === 'unknown' && age < GIVE_UP_MS) return { outcome: 'in-doubt', runtime, captured: null }
  await removeParts(partsDir)
  return discarded
}

/** The finished capture from the image's own labels; null when volumes that belong to it are not whole. */
async function adoptTarget(
  engine: Engine,
  target: string,
  snapshotId: string,
  partsDir: string,
  signal: AbortSignal,
): Promise<RecoverResult['captured']> {
  const image = await inspectImage(engine, target, signal)
  const labels = image?.Config?.Labels
  if (!image || labels?.[LABEL.snapshot] !== snapshotId) return null
  const record = JSON.parse(labels[LABEL.record] ?? 'null') as Snapshot | null
  if (!record || !(await hasParts(partsDir, record.volumes))) return null
  const parts = record.volumes.reduce((sum, part) => sum + part.bytes, 0)
  const base = typeof record.facts.baseBytes === 'number' ? record.facts.baseBytes : null
  if (record.volumes.length === 0) await removeParts(partsDir)
  return {
    reference: target,
    digest: image.Id,
    fidelity: record.fidelity,
    leftOut: record.leftOut,
    bytes: image.Size + parts,
    ownBytes: base === null ? null : Math.max(0, image.Size - base) + parts,
    volumes: record.volumes,
    facts: { ...record.facts, layers: image.RootFS?.Layers?.length ?? 0 },
    notices: [],
  }
}
