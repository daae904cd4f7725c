import { spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import { identityOf, type ProcessIdentity } from '../../system/process-identity.ts'
import { runCommand } from '../../system/run-command.ts'
import { privateFolder } from './private-folder.ts'
import { EXIT_BLANK, launchScript, RUNNER_SCRIPT, TMUX_CONFIG } from './runner-script.ts'

export const TMUX_MS = 15_000

/** The files of a run that its runner works with. */
export interface RunPaths {
  readonly dir: string
  readonly exit: string
  readonly runner: string
  /** Arguments and environment of an interactive run; the runner deletes it before the agent starts. */
  readonly launch: string
  readonly log: string
}

/** The agent's command line as it really runs, sandbox in front. */
export interface RunnerPlan {
  readonly argv: readonly string[]
  /** With secrets: goes to the agent and nowhere else. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly indexFile: string
}

/** A runner that waits for the word. Unless `go` is called it never begins the agent. */
export interface WaitingRunner {
  readonly identity: ProcessIdentity
  go(): Promise<void>
  /** Sends it away without the word; harmless after it. */
  cancel(): Promise<void>
}

/** Makes the run's folder, private, with the runner in it. */
export async function makeRunFolder(run: RunPaths, script = RUNNER_SCRIPT): Promise<void> {
  await mkdir(run.dir, { recursive: true, mode: 0o700 })
  await mkdir(dirname(run.log), { recursive: true, mode: 0o700 })
  await writeFile(run.log, '', { flag: 'a', mode: 0o600 })
  await writeFile(run.runner, script, { mode: 0o700 })
  await writeFile(run.exit, EXIT_BLANK, { mode: 0o600 })
}

/** Starts a runner in a session of its own, so that it survives terminals and this process. */
export async function startHeadless(run: RunPaths, plan: RunnerPlan): Promise<WaitingRunner> {
  const child = spawn('/bin/sh', [run.runner, run.dir, run.log, plan.indexFile, '', ...plan.argv], {
    cwd: plan.cwd,
    env: { ...plan.env },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const failed = new Promise<Error>((resolve) => child.once('error', resolve))
  // The pipe breaks when the runner is killed before its word; its own end tells that.
  child.stdin.on('error', () => undefined)
  child.unref()
  const identity = child.pid === undefined ? undefined : await identityOf(child.pid)
  if (!identity) {
    const cause = child.pid === undefined ? await failed : undefined
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'E2BIG') {
      throw bottleError(
        'unsupported',
        'Prompt, arguments and environment are together too long for this system.',
      )
    }
    throw bottleError('engine-failed', 'The runner could not be started.', { detail: cause?.message, cause })
  }
  return {
    identity,
    go: () => new Promise((resolve) => child.stdin.end('go\n', () => resolve())),
    cancel: async () => void child.stdin.destroy(),
  }
}

/**
 * Starts a runner in a terminal server that serves this run only and whose own environment holds nothing of it.
 * Arguments and environment reach the runner in a file that it deletes before the agent begins.
 */
export async function startInteractive(
  run: RunPaths,
  plan: RunnerPlan,
  tmux: string,
  socket: string,
  signal: AbortSignal,
): Promise<WaitingRunner> {
  await privateFolder(dirname(socket))
  await rm(socket, { force: true })
  await writeFile(run.launch, launchScript(plan.cwd, plan.env, plan.argv), { mode: 0o600 })
  const config = `${run.dir}/tmux.conf`
  await writeFile(config, TMUX_CONFIG, { mode: 0o600 })
  try {
    const identity = await openTerminal(run, plan, tmux, socket, config, signal)
    return {
      identity,
      go: async () => {
        const options = { env: serverEnvironment(run), timeout: TMUX_MS }
        await runCommand(tmux, ['-S', socket, 'wait-for', '-S', 'icebox-go'], options)
      },
      cancel: () => endTerminal(tmux, socket),
    }
  } catch (thrown) {
    await endTerminal(tmux, socket)
    throw thrown
  }
}

async function openTerminal(
  run: RunPaths,
  plan: RunnerPlan,
  tmux: string,
  socket: string,
  config: string,
  signal: AbortSignal,
): Promise<ProcessIdentity> {
  const { stdout } = await runCommand(
    tmux,
    [
      ...[
        '-S',
        socket,
        '-f',
        config,
        'new-session',
        '-d',
        '-P',
        '-F',
        '#{pane_pid}',
        '-s',
        'agent',
        '-x',
        '120',
        '-y',
        '32',
      ],
      ...['--', '/bin/sh', run.runner, run.dir, '', plan.indexFile, tmux],
      ...[';', 'pipe-pane', '-t', 'agent', 'exec cat >>"$ICEBOX_LOG"'],
    ],
    { cwd: run.dir, env: serverEnvironment(run), timeout: TMUX_MS, signal },
  )
  const identity = await identityOf(Number.parseInt(stdout.trim(), 10))
  if (!identity)
    throw bottleError('engine-failed', 'The terminal ended at once.', { detail: stdout.slice(-500) })
  return identity
}

/** A file that is there once anybody sat at the run's terminal, which may have another size since. */
export const attachedMark = (runDir: string): string => `${runDir}/attached`

function serverEnvironment(run: RunPaths): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    SHELL: '/bin/sh',
    TERM: 'screen-256color',
    ICEBOX_LOG: run.log,
    ICEBOX_ATTACHED: attachedMark(run.dir),
  }
}

/** Ends a run's terminal server; a missing one is already gone. */
export async function endTerminal(tmux: string | undefined, socket: string): Promise<void> {
  if (tmux) {
    await runCommand(tmux, ['-S', socket, 'kill-server'], { timeout: TMUX_MS, okCodes: [0, 1] })
  }
  await rm(socket, { force: true })
}
