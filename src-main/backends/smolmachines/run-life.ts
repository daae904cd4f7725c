import { readFile, rm, writeFile } from 'node:fs/promises'
import { writeDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ExitFact, RuntimeRef, StopOptions } from '../backend.ts'
import { waitUntil } from '../local/wait-until.ts'
import type { SmolContext } from './context.ts'
import { isOf } from './find.ts'
import { execArgs } from './grammar.ts'
import { HERE_QUESTION } from './guest-delivery.ts'
import { endRunner } from './launch.ts'
import { findMachine, stopMachine } from './machines.ts'
import { touchOwner } from './owners.ts'
import { deliver } from './prepare-guest.ts'
import { hasRunFolder, runPaths, type SmolRunPaths } from './run-paths.ts'
import { runState, smolFacts } from './run-state.ts'

/** Finds a runner that was killed and wrote nothing. */
const EXIT_POLL_MS = 2000
/** How long an agent that was killed may take to be told as ended. */
const KILLED_MS = 5000
/** How long an `exec` may take to notice that its machine has stopped. */
const NOTICE_MS = 30_000
/** The same where nobody in the guest can say whether it was stopped at all. */
const UNSURE_MS = 3000

/** States in which a machine has a process of its own. */
const RUNS: ReadonlySet<string> = new Set(['running', 'unreachable'])

/** Waits for the agent's end; null when nothing is known of the run. */
export async function waitForExit(
  context: SmolContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ExitFact | null> {
  if (!(await hasRunner(context, ref))) return waitForMachine(context, ref, signal)
  const run = runPaths(context.home, ref)
  const ended = await waitUntil([run.dir], EXIT_POLL_MS, signal, async () => {
    const state = await runState(run)
    return state.kind === 'running' ? undefined : state
  })
  return ended.kind === 'exited' ? ended.exit : null
}

/** False for a machine that was adopted, or that somebody started by hand. */
async function hasRunner(context: SmolContext, ref: RuntimeRef): Promise<boolean> {
  return hasRunFolder(ref) && (await runState(runPaths(context.home, ref))).kind !== 'gone'
}

/** A machine that Icebox did not start has no runner: its own end is all there is to see. */
async function waitForMachine(
  context: SmolContext,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<ExitFact | null> {
  return waitUntil([], EXIT_POLL_MS, signal, async () => {
    const found = await findMachine(context, ref.name, signal)
    if (!found) return null
    return RUNS.has(found.machine.state) ? undefined : { exitCode: null, endedAt: new Date().toISOString() }
  })
}

/** Ends the agent: politely, then hard, then with its machine. A missing or ended one is done. @throws BottleError */
export async function stopRun(
  context: SmolContext,
  ref: RuntimeRef,
  options: StopOptions,
  signal: AbortSignal,
): Promise<void> {
  const found = await findMachine(context, ref.name, signal)
  const isOurs = found !== null && isOf(context.rootId, found, ref)
  if (!(await hasRunner(context, ref))) {
    if (isOurs) await stopMachine(context, ref.name, signal)
    return
  }
  const run = runPaths(context.home, ref)
  if ((await runState(run)).kind !== 'running') return
  const { guestDir } = smolFacts(ref)
  const isReachable = isOurs && found.machine.state === 'running'
  if (isReachable && guestDir !== null) {
    const asked = await signalAgent(context, ref, guestDir, 'TERM', signal)
    if (asked && (await endsWithin(run, options.graceSeconds * 1000, signal))) return
    const killed = await signalAgent(context, ref, guestDir, 'KILL', signal)
    if (killed && (await endsWithin(run, KILLED_MS, signal))) return
  }
  // A run that a freeze holds would begin anew.
  await rm(run.hold, { force: true })
  if (isOurs) await stopMachine(context, ref.name, signal)
  if (isReachable && (await endsWithin(run, NOTICE_MS, signal))) return
  await endUnknown(context, ref, run)
}

/** Ends a runner that hears nothing any more; how its agent ended can't be told. */
async function endUnknown(context: SmolContext, ref: RuntimeRef, run: SmolRunPaths): Promise<void> {
  const left = await endRunner(context, ref)
  if (left.length > 0) {
    throw bottleError(
      'timeout',
      `Process ${left.join(', ')} of ${ref.slug} does not end, not even when killed.`,
      {
        slug: ref.slug,
      },
    )
  }
  if ((await runState(run)).kind === 'exited') {
    const exit = { exitCode: null, endedAt: new Date().toISOString() }
    if ((await readFile(run.exit, 'utf8').catch(() => '')).trim() === '')
      await writeDurable(run.exit, JSON.stringify(exit))
  }
  await touchOwner(context.home, ref.name)
}

async function signalAgent(
  context: SmolContext,
  ref: RuntimeRef,
  guestDir: string,
  name: 'TERM' | 'KILL',
  signal: AbortSignal,
): Promise<boolean> {
  const args = execArgs(ref.name, ['/bin/sh', `${guestDir}/signal`, name], { timeoutSeconds: 20 })
  const { exitCode } = await context.client.run('end the agent', args, { signal, okCodes: 'any' })
  return exitCode === 0
}

async function endsWithin(run: SmolRunPaths, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
  try {
    return await waitUntil([run.dir], 200, patience, async () =>
      (await runState(run)).kind === 'running' ? undefined : true,
    )
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return false
  }
}

/**
 * After the agent's end: removes what is kept of its secrets here, and stops the machine, whose disks stay and whose
 * memory, with all that was delivered, goes. A run that goes on is left alone. @throws BottleError
 */
export async function endRun(context: SmolContext, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  if (hasRunFolder(ref)) {
    const run = runPaths(context.home, ref)
    if ((await runState(run)).kind === 'running') return
    for (const file of [run.delivery, run.launch, run.hold, run.held]) await rm(file, { force: true })
    await endRunner(context, ref)
  }
  const found = await findMachine(context, ref.name, signal)
  if (!found || !isOf(context.rootId, found, ref) || !RUNS.has(found.machine.state)) return
  await stopMachine(context, ref.name, signal)
}

/** From now on the end of the agent's `exec` is not its exit; nothing happens when the run has ended. */
export async function holdRun(context: SmolContext, ref: RuntimeRef): Promise<void> {
  if (!hasRunFolder(ref)) return
  const run = runPaths(context.home, ref)
  if ((await runState(run)).kind === 'running') await writeFile(run.hold, '', { mode: 0o600 })
}

/**
 * Ends a hold. Where the machine was stopped meanwhile, everything is delivered anew and the agent begins again; where
 * it was not, the agent never noticed. @throws BottleError
 */
export async function releaseRun(context: SmolContext, ref: RuntimeRef, signal: AbortSignal): Promise<void> {
  if (!hasRunFolder(ref)) return
  const run = runPaths(context.home, ref)
  const isHeld = await readFile(run.hold).then(
    () => true,
    () => false,
  )
  if (!isHeld) return
  const { guestDir } = smolFacts(ref)
  if (guestDir === null) await isHeldWithin(run, UNSURE_MS, signal)
  else if (!(await isStillThere(context, ref.name, guestDir, signal))) {
    await deliver(context, ref.name, await readFile(run.delivery, 'utf8'), signal)
    await isHeldWithin(run, NOTICE_MS, signal)
  }
  await rm(run.hold, { force: true })
}

/**
 * Waits until the runner knows that its connection is gone: released before, it would take that for the agent's end.
 * False when it does not come to that.
 */
async function isHeldWithin(run: SmolRunPaths, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
  try {
    return await waitUntil([run.dir], 200, patience, async () => {
      if ((await runState(run)).kind !== 'running') return false
      return readFile(run.held).then(
        () => true,
        () => undefined,
      )
    })
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return false
  }
}

async function isStillThere(
  context: SmolContext,
  name: string,
  guestDir: string,
  signal: AbortSignal,
): Promise<boolean> {
  const args = execArgs(name, ['/bin/sh', '-c', HERE_QUESTION, 'sh', guestDir], { timeoutSeconds: 20 })
  const { stdout } = await context.client.run('look into the machine', args, { signal })
  return stdout.trim() === 'here'
}
