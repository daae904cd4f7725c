import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ExitFact, LaunchPlan, RuntimeRef, StopOptions } from '../backend.ts'
import { waitUntil } from '../local/wait-until.ts'
import { readFacts } from './container-facts.ts'
import type { ContainerContext } from './context.ts'
import { imageFacts } from './image-source.ts'
import { inspectImage } from './images.ts'
import { deliveryOf } from './launch.ts'
import { type LookKind, ownContainer } from './own-container.ts'
import { checkPlan } from './preflight.ts'
import {
  fillRunFolder,
  type RunFolder,
  readAgentPid,
  readExit,
  runFolder,
  wipeRunFolder,
} from './run-folder.ts'
import { isBeingFrozen } from './standstill.ts'
import { closeTerminal, startContainer } from './start.ts'

/** Results are files; not every system tells of changes to a shared folder. */
const FILE_POLL_MS = 1000
/** Finds a container that was killed, whose start script wrote nothing. */
const ENGINE_POLL_MS = 3000
const SETTLE_MS = 30_000
const TELL_MS = 10_000
/** Between a container's end and its own result on this machine's disk. */
const LATE_RESULT_MS = 500

/** Waits for the agent's end, over restarts of the engine too; null when the container is gone. @throws BottleError */
export async function waitForExit(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ExitFact | null> {
  const folder = folderOf(context, ref)
  let askAt = (await hasJustBegun(folder)) ? performance.now() + ENGINE_POLL_MS : 0
  const ended = await waitUntil<{ readonly exit: ExitFact | null }>(
    folder ? [folder.guest] : [],
    FILE_POLL_MS,
    signal,
    async () => {
      // A result is a file; only a container that was killed left none, and only the engine can tell that.
      const isTold = folder !== null && (await readExit(folder)) !== null
      if (!isTold && performance.now() < askAt) return undefined
      // Releases that can't export what runs stop it for a freeze and start it again.
      if (await isBeingFrozen(stateDirOf(context, ref), ref.runId)) return undefined
      const look = await lookForEnd(context, ref, signal, isTold ? 'recent' : 'now')
      askAt = performance.now() + ENGINE_POLL_MS - FILE_POLL_MS / 2
      // A result without an end means that the container is just stopping.
      return look ?? (isTold ? settled(context, ref, signal) : undefined)
    },
  ).catch((thrown: unknown) => {
    throw signal.aborted ? bottleError('cancelled') : thrown
  })
  context.changes.ring()
  return ended.exit
}

/** Null for an adopted container, which was not started by Icebox. */
function folderOf(context: ContainerContext, ref: RuntimeRef): RunFolder | null {
  return ref.runId && readFacts(ref).hasShell ? runFolder(context.home, ref.slug, ref.runId) : null
}

/** True within moments of a start: nothing can have ended without a word since. */
async function hasJustBegun(folder: RunFolder | null): Promise<boolean> {
  const found = folder && (await stat(join(folder.guest, 'starts')).catch(() => null))
  return found !== null && Date.now() - found.mtimeMs < ENGINE_POLL_MS
}

/** The end if it has come; undefined while it runs, is frozen, or can't be asked about. @throws BottleError */
async function lookForEnd(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
  kind: LookKind = 'now',
): Promise<{ readonly exit: ExitFact | null } | undefined> {
  try {
    const entry = await ownContainer(context, ref, signal, kind)
    if (!entry) return { exit: null }
    if (entry.state !== 'stopped') return undefined
  } catch (thrown) {
    const isPassing =
      isBottleError(thrown) && ['engine-down', 'engine-missing', 'timeout'].includes(thrown.code)
    if (!isPassing) throw thrown
    return undefined
  }
  // Again: the freeze may have begun between the two looks.
  if (await isBeingFrozen(stateDirOf(context, ref), ref.runId)) return undefined
  return { exit: await exitOf(context, ref, signal) }
}

/** Polls quickly for the short time between the agent's end and the container's. */
async function settled(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<{ readonly exit: ExitFact | null } | undefined> {
  for (let pause = 20; pause < 1000; pause *= 2) {
    await sleep(pause, undefined, { signal })
    const ended = await lookForEnd(context, ref, signal)
    if (ended) return ended
  }
  return undefined
}

async function exitOf(context: ContainerContext, ref: RuntimeRef, signal: AbortSignal): Promise<ExitFact> {
  const unknown = { exitCode: null, endedAt: new Date().toISOString() }
  const folder = folderOf(context, ref)
  if (!folder) return unknown
  const exit = await readExit(folder)
  if (exit) return exit
  await sleep(LATE_RESULT_MS, undefined, { signal })
  return (await readExit(folder)) ?? unknown
}

const stateDirOf = (context: ContainerContext, ref: RuntimeRef) => `${context.home}/state/${ref.slug}`

/** Stops the agent: politely, then hard. Missing and stopped ones are done. @throws BottleError */
export async function stopRun(
  context: ContainerContext,
  ref: RuntimeRef,
  options: StopOptions,
  signal: AbortSignal,
): Promise<void> {
  const entry = await ownContainer(context, ref, signal)
  const facts = readFacts(ref)
  if (entry && entry.state !== 'stopped') {
    const grace = Math.max(0, Math.round(options.graceSeconds))
    if (facts.tty && facts.hasShell && entry.state === 'running') await tellAgent(context, ref, signal)
    await context.client
      .run(['stop', '--time', String(grace), ref.id], signal, { timeout: grace * 1000 + 60_000 })
      .catch((thrown: unknown) => {
        if (!isBottleError(thrown) || thrown.code !== 'not-found') throw thrown
      })
    await requireStopped(context, ref, signal)
  }
  await closeTerminal(context, facts.socket)
  context.changed()
}

/** A program in a terminal gets what a closed window sends; its shell can't hand on the engine's signal. */
async function tellAgent(context: ContainerContext, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  const folder = folderOf(context, ref)
  const pid = folder && (await readAgentPid(folder))
  if (pid === null) return
  const script = 'kill -HUP "$1"; kill -TERM "$1"; kill -CONT "$1"'
  await context.client
    .run(['exec', ref.id, '/bin/sh', '-c', script, 'sh', String(pid)], signal, {
      okCodes: 'any',
      timeout: TELL_MS,
    })
    .catch((thrown: unknown) => {
      // The stop that follows ends it in any case.
      if (signal.aborted) throw thrown
    })
}

/** @throws BottleError `timeout` when the container does not end */
export async function requireStopped(
  context: ContainerContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<void> {
  const until = Date.now() + SETTLE_MS
  for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
    const entry = await ownContainer(context, ref, signal)
    if (!entry || entry.state === 'stopped') return
    if (Date.now() > until) {
      throw bottleError('timeout', `${ref.name} does not end, not even when killed.`, { slug: ref.slug })
    }
    await sleep(pause, undefined, { signal })
  }
}

/** Starts a stopped run again: same container, same files, its command and secrets delivered anew. @throws BottleError */
export async function restartRun(
  context: ContainerContext,
  ref: RuntimeRef,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  checkPlan(plan)
  const entry = await ownContainer(context, ref, signal)
  if (!entry) throw bottleError('not-found', `The container ${ref.name} is gone.`, { slug: ref.slug })
  if (entry.state !== 'stopped') {
    throw bottleError('busy', `${ref.name} is running already.`, { slug: ref.slug })
  }
  const { tty, hasShell } = readFacts(ref)
  if (hasShell && ref.runId) {
    const image = await commandImage(context, plan, entry.image.reference, signal)
    const delivery = { ...deliveryOf({ ...plan, copyCwd: null }, image), hasTerminal: tty }
    await fillRunFolder(runFolder(context.home, ref.slug, ref.runId), delivery, signal)
  }
  const target = { id: ref.id, slug: ref.slug, runId: ref.runId, tty, hasShell }
  const { socket } = await startContainer(context, target, signal)
  return { ...ref, facts: { ...ref.facts, socket } }
}

/** The image is asked only where its own command is to run: the container has its files from it already. */
async function commandImage(
  context: ContainerContext,
  plan: LaunchPlan,
  reference: string,
  signal: AbortSignal,
) {
  if (plan.argv) return { entrypoint: [], cmd: [], workdir: '', reference }
  const found = await inspectImage(context.client, reference, signal)
  if (found) return imageFacts(found)
  throw bottleError('image-missing', `The image ${reference} is gone, and with it the command to run.`)
}

/** Empties what was delivered to a run that has ended. Gone ones are done; one that runs again is left. @throws BottleError */
export async function endRun(context: ContainerContext, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  if (!ref.runId) return
  const folder = runFolder(context.home, ref.slug, ref.runId)
  // A start takes the result away, so one that is there is of a container that has not been started again.
  if ((await readExit(folder)) === null) {
    const entry = await ownContainer(context, ref, signal)
    if (entry && entry.state !== 'stopped') return
  }
  await wipeRunFolder(folder)
  await closeTerminal(context, readFacts(ref).socket)
}
