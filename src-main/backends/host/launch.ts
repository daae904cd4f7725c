import { access, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writeDurable } from '../../state/durable-file.ts'
import { bottleError, toBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { LaunchPlan, ReportProgress, RuntimeRef } from '../backend.ts'
import { endFamily } from '../local/end-family.ts'
import { findProgram } from '../local/find-program.ts'
import type { MultiplexerName } from '../local/multiplexer.ts'
import { sizeOf } from '../local/output-bell.ts'
import { makeRunFolder, type RunnerPlan, startHeadless, type WaitingRunner } from '../local/start-runner.ts'
import { terminalAddress } from '../local/terminal-socket.ts'
import { waitUntil } from '../local/wait-until.ts'
import { agentEnvironment, requireEnvironment } from './agent-environment.ts'
import { agentFolder, insideWorkspace, writeHomeFiles } from './home-files.ts'
import type { HostContext } from './host-context.ts'
import type { Isolation } from './isolation.ts'
import { isFolder, prepareLive, rollBackLive, settleLive } from './live-trees.ts'
import { mergeHostFiles } from './merge-host-files.ts'
import { type BottlePaths, bottlePaths, indexDir, indexFile, type RunPaths, runPaths } from './paths.ts'
import { requireArguments } from './preflight.ts'
import { privatePlacesOf } from './private-places.ts'
import {
  type HostFacts,
  hostFacts,
  isSurelyOver,
  processesOf,
  type RunRecord,
  runIdsOf,
  runState,
} from './run-record.ts'
import { sandboxCommand } from './sandbox-arguments.ts'

/** How long a runner may take from its word to the agent's start. */
const START_MS = 15_000

/**
 * Brings the trees in place and starts the agent in them. The run is recorded before the agent begins, so a death
 * at any point leaves either a recorded run or none. On failure everything is as before.
 */
export async function launch(
  context: HostContext,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<RuntimeRef> {
  signal.throwIfAborted()
  requireEnvironment(plan)
  const bottle = bottlePaths(context.home, plan.slug)
  const run = runPaths(bottle, plan.runId)
  await endPrevious(context, plan, signal)
  await setAside(run)
  const hadTrees = await isFolder(bottle.live)
  let runner: CreatedRunner | null = null
  try {
    progress({ phase: 'copying', current: null, total: null })
    await prepareLive(context.home, plan, bottle, run, signal)
    progress({ phase: 'starting', current: null, total: null })
    runner = await createRunner(context, plan, run, signal)
    await record(context, run, runner.ref)
    faultPoint('start:after-create')
    await runner.waiting.go()
    await requireStarted(run, runner.waiting.identity, signal)
    faultPoint('start:after-start')
  } catch (thrown) {
    await undo(context, bottle, run, runner)
    // A restart swaps no trees: what lies beside them is of an earlier resume, and older than the work.
    if (plan.previous?.runId !== plan.runId) await rollBackLive(bottle, run, !hadTrees)
    throw toBottleError(thrown, plan.slug)
  }
  // The agent runs, so nothing may fail the start any more; what stays behind is removed again when the run ends.
  await settleLaunch(context, bottle, run).catch(() => undefined)
  return runner.ref
}

interface CreatedRunner {
  readonly ref: RuntimeRef
  readonly waiting: WaitingRunner
}

/** What follows a start that worked, and what recovery does for one that nobody finished. */
export async function settleLaunch(context: HostContext, bottle: BottlePaths, run: RunPaths): Promise<void> {
  await settleLive(bottle, run)
  for (const runId of await runIdsOf(bottle)) {
    if (runId === run.runId) continue
    await rm(indexFile(context.home, bottle.slug, runId), { force: true })
    await rm(runPaths(bottle, runId).dir, { recursive: true, force: true })
  }
  await rm(`${run.dir}.old`, { recursive: true, force: true })
}

/** The previous run's leftovers would write into trees that are about to change. */
async function endPrevious(context: HostContext, plan: LaunchPlan, signal: AbortSignal): Promise<void> {
  if (plan.previous?.backend !== 'host') return
  const previous = runPaths(bottlePaths(context.home, plan.previous.slug), plan.previous.runId)
  if ((await runState(previous)).kind === 'running') {
    throw bottleError('busy', `The agent of ${plan.slug} still runs. Stop it first.`, { slug: plan.slug })
  }
  if (!(await isSurelyOver(previous, plan.previous))) await endFamily(processesOf(plan.previous), 0, signal)
}

/** A restart under the same run id keeps the former result until the new start has worked. */
async function setAside(run: RunPaths): Promise<void> {
  if (!(await isFolder(run.dir))) return
  await rm(`${run.dir}.old`, { recursive: true, force: true })
  await rename(run.dir, `${run.dir}.old`)
}

async function createRunner(
  context: HostContext,
  plan: LaunchPlan,
  run: RunPaths,
  signal: AbortSignal,
): Promise<CreatedRunner> {
  const isolation = await context.isolation(signal)
  const { notices, ...runnerPlan } = await planRunner(context, plan, isolation, signal)
  await makeRunFolder(run)
  const logFrom = await sizeOf(run.log)
  let socket: string | null = null
  let waiting: WaitingRunner
  const keeper = plan.multiplexer ?? 'tmux'
  if (plan.tty) {
    const multiplexer = await context.multiplexer(keeper)
    socket = await terminalAddress(keeper, context.home, plan.slug, plan.runId)
    waiting = await multiplexer.start(run, runnerPlan, socket, signal)
  } else {
    waiting = await startHeadless(run, runnerPlan)
  }
  const startedAt = new Date().toISOString()
  const facts: HostFacts = {
    ...{ identity: waiting.identity, isolation: isolation.kind, tty: plan.tty, startedAt },
    ...{ socket, multiplexer: keeper, logFrom, workdir: insideWorkspace(plan.workdir) },
  }
  const ref: RuntimeRef = {
    backend: 'host',
    id: String(waiting.identity.pid),
    name: `bot-bottle-${plan.slug}`,
    slug: plan.slug,
    runId: plan.runId,
    volumes: [],
    networks: [],
    sidecars: [],
    facts: { ...facts, notices },
  }
  return { ref, waiting }
}

/** Paths inside a sandbox are real ones, so links on the way to the state root are resolved first. */
async function planRunner(
  context: HostContext,
  plan: LaunchPlan,
  isolation: Isolation,
  signal: AbortSignal,
): Promise<RunnerPlan & { readonly notices: readonly string[] }> {
  const stateRoot = await realpath(context.home)
  const { workspace, home } = bottlePaths(stateRoot, plan.slug)
  if (plan.network === 'none' && !isolation.hasNetwork) throw bottleError('policy-unenforceable')
  await writeHomeFiles(home, plan.homeFiles)
  const cwd = await agentFolder(workspace, plan.workdir)
  const notices = plan.merged ? await mergeHostFiles(plan.merged, home, workspace, plan.workdir) : []
  const env = agentEnvironment(plan, context.env, isolation.kind, home)
  const [name, ...rest] = requireArguments(plan, context.env)
  signal.throwIfAborted()
  const sandbox = sandboxCommand(isolation, {
    stateRoot,
    workspace,
    home,
    cwd,
    hidden: await privatePlacesOf(context.env.HOME || homedir()),
    hasNetwork: plan.network !== 'none',
  })
  // By its path: a bare name could mean a command of the runner's own shell.
  const program = name.includes('/')
    ? name
    : ((await findProgram(name, env.PATH ?? '')) ?? join('/usr/bin', name))
  return {
    argv: [...sandbox, program, ...rest],
    env,
    cwd,
    indexFile: indexFile(context.home, plan.slug, plan.runId),
    notices,
  }
}

async function record(context: HostContext, run: RunPaths, ref: RuntimeRef): Promise<void> {
  const written: RunRecord = { version: 1, ref, startedAt: hostFacts(ref).startedAt }
  await writeDurable(run.record, `${JSON.stringify(written, null, 2)}\n`)
  await mkdir(indexDir(context.home), { recursive: true, mode: 0o700 })
  await writeFile(indexFile(context.home, ref.slug, ref.runId), '', { mode: 0o600 })
}

async function requireStarted(run: RunPaths, runner: ProcessIdentity, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(START_MS)])
  await waitUntil([run.dir], 100, patience, async () => {
    const isOver = !(await isAlive(runner))
    if (await hasStarted(run)) return true
    if (isOver) throw bottleError('engine-failed', 'The runner ended before it could start the agent.')
    return undefined
  })
}

/** True once the runner has begun the agent. */
export async function hasStarted(run: RunPaths): Promise<boolean> {
  return access(run.started).then(
    () => true,
    () => false,
  )
}

async function undo(
  context: HostContext,
  bottle: BottlePaths,
  run: RunPaths,
  runner: CreatedRunner | null,
): Promise<void> {
  if (runner) {
    await runner.waiting.cancel()
    await endRun(context, runner.ref)
  }
  await dropRunFolder(context, bottle, run)
}

/** Removes a run that never began, and brings back the result that it had put aside. */
export async function dropRunFolder(context: HostContext, bottle: BottlePaths, run: RunPaths): Promise<void> {
  await rm(run.dir, { recursive: true, force: true })
  if (await isFolder(`${run.dir}.old`)) await rename(`${run.dir}.old`, run.dir)
  else await rm(indexFile(context.home, bottle.slug, run.runId), { force: true })
}

/** Ends everything of a run at once, its terminal too. Resolves with the pids that would not go. */
export async function endRun(context: HostContext, ref: RuntimeRef): Promise<readonly number[]> {
  const left = await endFamily(processesOf(ref), 0, new AbortController().signal)
  const { socket, multiplexer } = hostFacts(ref)
  if (socket) await endTerminal(context, multiplexer, socket)
  return left
}

/** Ends a run's terminal; without the program that kept it there is none, and what is left of it goes. */
export async function endTerminal(
  context: HostContext,
  name: MultiplexerName,
  address: string,
): Promise<void> {
  if (!(await context.terminalProgram(name))) await rm(address, { recursive: true, force: true })
  else await (await context.multiplexer(name)).end(address)
}
