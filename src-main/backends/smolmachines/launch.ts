import { mkdir, rm } from 'node:fs/promises'
import { readText, writeDurable } from '../../state/durable-file.ts'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef } from '../backend.ts'
import { ownerLabels } from '../labels.ts'
import { endFamily } from '../local/end-family.ts'
import {
  endTerminal,
  makeRunFolder,
  startHeadless,
  startInteractive,
  type WaitingRunner,
} from '../local/start-runner.ts'
import { TMUX_FIX } from '../local/terminal.ts'
import { terminalSocket } from '../local/terminal-socket.ts'
import { waitUntil } from '../local/wait-until.ts'
import { keepImageConfig } from './capture-config.ts'
import { createMachines } from './capture-machines.ts'
import type { SmolContext } from './context.ts'
import { fillGuest, requireGuestParts } from './guest-tar-fill.ts'
import { machineSource, requireSource } from './image-source.ts'
import { checkPlan, machineName, machineSpec } from './launch-plan.ts'
import {
  createMachine,
  deleteMachine,
  findMachine,
  listMachines,
  type OwnedMachine,
  startMachine,
} from './machines.ts'
import { type Owner, recordFile } from './owners.ts'
import { endFormerAgent, NO_SHELL_NOTICE, type PreparedGuest, prepareGuest } from './prepare-guest.ts'
import { runPaths, type SmolRunPaths } from './run-paths.ts'
import { hasStarted, processesOf, runState, smolFacts } from './run-state.ts'
import { runnerScript } from './runner-script.ts'

/** How long a runner may take from its word to the agent's start. */
const START_MS = 15_000
/** For taking back what a failed launch made. */
const UNDO_MS = 300_000

/**
 * Makes, starts and fills a machine, then starts the agent in it. The previous run's machine is not touched. On failure
 * everything that was made is gone again. @throws BottleError
 */
export async function launch(
  context: SmolContext,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  signal.throwIfAborted()
  const features = await context.client.features(signal)
  checkPlan(plan, features)
  await requireSource(context, plan, features)
  if (plan.image.kind === 'snapshot') await requireGuestParts(context.home, plan.image.snapshot)
  const run = runPaths(context.home, plan)
  try {
    progress({ phase: 'preparing image', current: null, total: null })
    await mkdir(run.dir, { recursive: true, mode: 0o700 })
    const source = await machineSource(context, plan, progress, signal)
    await keepImageConfig(run.dir, source)
    const name = machineName(plan)
    const owner: Owner = { root: plan.rootId, slug: plan.slug, runId: plan.runId, role: 'agent' }
    progress({ phase: 'creating', current: null, total: null })
    const spec = machineSpec(plan, name, source, owner, ownerLabels(plan))
    await createMachine(context, owner, spec, signal)
    faultPoint('start:after-create')
    progress({ phase: 'starting', current: null, total: null })
    await startMachine(context, name, signal)
    faultPoint('start:after-boot')
    if (source.kind === 'checkpoint') await endFormerAgent(context, name, signal)
    if (plan.image.kind === 'snapshot') {
      await fillGuest(createMachines(context), name, context.home, plan.image.snapshot, signal)
    }
    return await startAgent(context, plan, name, run, signal)
  } catch (thrown) {
    throw await takeBack(context, plan, run, thrown)
  }
}

/** Gives a running machine its agent, and returns once that runs and is recorded. @throws BottleError */
export async function startAgent(
  context: SmolContext,
  plan: LaunchPlan,
  name: string,
  run: SmolRunPaths,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  // Only a machine that was started knows the command of an image that it had to fetch.
  const started = plan.argv === null ? await findMachine(context, name, signal) : null
  const guest = await prepareGuest(context, plan, name, ownCommand(started), run, signal)
  faultPoint('start:after-fill')
  await makeRunFolder(run, runnerScript(guest.ask))
  const { waiting, socket } = await startRunner(context, plan, name, run, guest, signal)
  const ref = refOf(plan, name, guest, waiting.identity, socket)
  try {
    const { startedAt } = smolFacts(ref)
    await writeDurable(run.record, `${JSON.stringify({ version: 1, ref, startedAt }, null, 2)}\n`)
    await waiting.go()
    await requireStarted(run, waiting.identity, signal)
    faultPoint('start:after-start')
    return ref
  } catch (thrown) {
    await waiting.cancel()
    await endRunner(context, ref)
    throw thrown
  }
}

/** What the image runs by itself, as far as the engine tells. Pure. */
function ownCommand(found: OwnedMachine | null): readonly string[] {
  return found ? [...found.machine.entrypoint, ...found.machine.cmd] : []
}

async function startRunner(
  context: SmolContext,
  plan: LaunchPlan,
  name: string,
  run: SmolRunPaths,
  guest: PreparedGuest,
  signal: AbortSignal,
): Promise<{ readonly waiting: WaitingRunner; readonly socket: string | null }> {
  const indexFile = recordFile(context.home, name)
  const runner = { argv: guest.exec, env: context.client.env, cwd: '/', indexFile }
  if (!plan.tty) return { waiting: await startHeadless(run, runner), socket: null }
  const tmux = await context.tmux()
  if (!tmux) throw bottleError('engine-missing', `An interactive bottle needs tmux. Install it: ${TMUX_FIX}`)
  const socket = await terminalSocket(context.home, plan.slug, plan.runId)
  return { waiting: await startInteractive(run, runner, tmux, socket, signal), socket }
}

function refOf(
  plan: LaunchPlan,
  name: string,
  guest: PreparedGuest,
  identity: ProcessIdentity,
  socket: string | null,
): RuntimeRef {
  const known = plan.image.kind === 'snapshot' ? plan.image.snapshot.facts.config : undefined
  return {
    backend: 'smolmachines',
    id: name,
    name,
    slug: plan.slug,
    runId: plan.runId,
    volumes: [],
    networks: [],
    sidecars: [],
    facts: {
      root: plan.rootId,
      ...{ identity, socket, tty: plan.tty, startedAt: new Date().toISOString() },
      guestDir: guest.guestDir,
      mayHoldSecrets: Object.keys(plan.secrets).length > 0,
      config: known ?? null,
      mounts: plan.mounts.map((mount) => mount.target),
      notices: guest.guestDir === null ? [NO_SHELL_NOTICE] : [],
    },
  }
}

async function requireStarted(
  run: SmolRunPaths,
  runner: ProcessIdentity,
  signal: AbortSignal,
): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(START_MS)])
  await waitUntil([run.dir], 100, patience, async () => {
    const isOver = !(await isAlive(runner))
    if (await hasStarted(run)) return true
    if (isOver) throw bottleError('engine-failed', 'The runner ended before it could start the agent.')
    return undefined
  })
}

/** Ends a run's processes on this machine, its terminal too. Resolves with the pids that would not go. */
export async function endRunner(context: SmolContext, ref: RuntimeRef): Promise<readonly number[]> {
  const left = await endFamily(processesOf(ref), 0, new AbortController().signal)
  const { socket } = smolFacts(ref)
  if (socket) await endTerminal(await context.tmux(), socket)
  return left
}

/** Removes what a failed launch made. A machine that is not this run's is left alone. */
async function takeBack(
  context: SmolContext,
  plan: LaunchPlan,
  run: SmolRunPaths,
  thrown: unknown,
): Promise<Error> {
  const failed = toBottleError(thrown, plan.slug)
  const late = AbortSignal.timeout(UNDO_MS)
  const left = await dropMachines(context, plan, late).catch((): readonly string[] => ['its machine'])
  if (left.length === 0) {
    await rm(run.dir, { recursive: true, force: true })
    return failed
  }
  return bottleError(failed.code, `${failed.message} Could not take back: ${left.join(', ')}.`, {
    ...{ slug: plan.slug, detail: failed.detail, cause: failed },
  })
}

/** Deletes every machine of one run; resolves with the names of those that stayed. @throws BottleError */
export async function dropMachines(
  context: SmolContext,
  run: { readonly rootId: string; readonly slug: string; readonly runId: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const left: string[] = []
  for (const { machine, owner } of await listMachines(context, signal)) {
    if (owner?.root !== run.rootId || owner.slug !== run.slug || owner.runId !== run.runId) continue
    if (!(await deleteMachine(context, machine.name, signal))) left.push(machine.name)
  }
  return left
}

/** Starts a stopped run again: same machine, same files, everything delivered anew. @throws BottleError */
export async function restart(
  context: SmolContext,
  ref: RuntimeRef,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  checkPlan(plan, await context.client.features(signal))
  const run = runPaths(context.home, ref)
  const found = await findMachine(context, ref.name, signal)
  if (!found) throw bottleError('not-found', `The machine ${ref.name} is gone.`, { slug: ref.slug })
  if ((await runState(run)).kind === 'running') {
    throw bottleError('busy', `${ref.name} is running already.`, { slug: ref.slug })
  }
  await endRunner(context, ref)
  const former = await readText(run.exit)
  for (const file of [run.started, run.hold, run.held]) await rm(file, { force: true })
  try {
    await mkdir(run.dir, { recursive: true, mode: 0o700 })
    if (found.machine.state === 'running') await endFormerAgent(context, ref.name, signal)
    else await startMachine(context, ref.name, signal)
    const next = await startAgent(context, { ...plan, copyCwd: null }, ref.name, run, signal)
    // An adopted machine stays nobody's: no mark of it says that it is ours.
    return { ...next, facts: { ...next.facts, root: ref.facts.root } }
  } catch (thrown) {
    // The former result stays until the new start has worked.
    if (former !== undefined) await writeDurable(run.exit, former)
    throw toBottleError(thrown, ref.slug)
  }
}
