import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { DiskFullError } from '../lib/knobs.ts'
import { runningMachine } from './checkpoint.ts'
import { parseDuration } from './clap.ts'
import { type Context, emit, say, tell } from './context.ts'
import { environment, parseSecrets } from './create.ts'
import {
  guestPid,
  handedCommand,
  liveRoot,
  planCommand,
  spawnDetached,
  spawnInGuest,
  startProblem,
  treeOf,
} from './guest-run.ts'
import type { Machine } from './machines.ts'

const TIMED_OUT = 124
const NOT_FOUND = 127
/** As a program ends that can't print any more. */
const BROKEN_PIPE = 101

/** `machine exec`: the exit code is the guest's. @throws Failure */
export async function execInMachine(context: Context): Promise<number> {
  const { call } = context
  const machine = runningMachine(context, call.one('name') ?? 'default')
  return runCommandIn(context, machine, call.rest)
}

/** `machine shell`: as `exec -i -t -- /bin/sh`, and as that it doesn't start a stopped machine. @throws Failure */
export async function shellInMachine(context: Context): Promise<number> {
  const machine = runningMachine(context, context.call.one('name') ?? 'default')
  return runCommandIn(context, machine, ['/bin/sh'], { isInteractive: true })
}

/** Runs a command as the call's own flags say. Returns the exit code. @throws Failure */
export async function runCommandIn(
  context: Context,
  machine: Machine,
  argv: readonly string[],
  options: { readonly isInteractive?: boolean } = {},
): Promise<number> {
  const { call, dir } = context
  const secrets = { ...machine.secretRefs, ...parseSecrets(context) }
  const command = planCommand(
    context,
    { ...machine, secretRefs: secrets },
    { argv, env: environment(context), workdir: call.one('workdir') },
  )
  const problem = startProblem(liveRoot(dir, machine.name), command)
  if (problem) {
    tell(context, problem)
    return NOT_FOUND
  }
  if (call.path.at(-1) === 'exec' && call.has('detach')) {
    const child = spawnDetached(dir, machine, command)
    const pid = await guestPid(child)
    say(context, String(pid))
    return 0
  }
  const isInteractive = options.isInteractive || call.has('interactive') || call.has('tty')
  const isLive = isInteractive || call.has('stream')
  const hasInput = options.isInteractive || call.has('interactive')
  if (context.handOver && isLive) {
    context.handOver(handedCommand(dir, machine, command, hasInput))
    return 0
  }
  const strikes = (['disk-full', 'kill', 'hang', 'close-stdout'] as const).some((kind) =>
    context.strikes.has(kind),
  )
  const output = isLive && !strikes ? 'inherit' : 'pipe'
  if (isInteractive) process.on('SIGINT', () => undefined)
  const child = spawnInGuest(dir, machine, command, {
    stdio: [hasInput ? 'inherit' : 'ignore', output, output],
    detached: false,
  })
  return finish(context, child, { isLive, timeout: parseDuration(call.one('timeout') ?? '') })
}

async function finish(
  context: Context,
  child: ChildProcess,
  { isLive, timeout }: { readonly isLive: boolean; readonly timeout: number | null },
): Promise<number> {
  // Without --stream everything is held back until the end.
  const held: { readonly to: 1 | 2; readonly chunk: Buffer }[] = []
  const pass = (to: 1 | 2) => (chunk: Buffer) => {
    if (isLive) put(context, to, chunk)
    else held.push({ to, chunk })
  }
  child.stdout?.on('data', pass(1))
  child.stderr?.on('data', pass(2))
  let isLate = false
  const timer =
    timeout === null
      ? undefined
      : setTimeout(() => {
          isLate = true
          for (const pid of treeOf(child.pid ?? 0)) end(pid)
        }, timeout)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) =>
      resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    )
  })
  clearTimeout(timer)
  for (const { to, chunk } of held) put(context, to, chunk)
  return isLate ? TIMED_OUT : code
}

function end(pid: number): void {
  if (pid <= 0) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function put(context: Context, to: 1 | 2, chunk: Buffer): void {
  if (to === 1 && context.strikes.has('close-stdout')) process.exit(BROKEN_PIPE)
  try {
    for (let at = 0; at < chunk.length; ) {
      const room = to === 1 ? context.strikes.beforeBytes(chunk.length - at) : chunk.length - at
      emit(context, to, chunk.subarray(at, at + room))
      at += room
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(BROKEN_PIPE)
    if (!(error instanceof DiskFullError)) throw error
    tell(context, 'error: No space left on device (os error 28)')
    process.exit(1)
  }
}
