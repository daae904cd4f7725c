import { spawn } from 'node:child_process'

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Milliseconds after which the whole process group is ended. */
  readonly timeout: number
  readonly signal?: AbortSignal
  /** `show` passes the output through, `keep` collects it. Default: keep. */
  readonly output?: 'show' | 'keep'
}

export interface ChildResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  /** Both streams as they came. */
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

/**
 * Runs a program as the leader of its own process group and waits for it. On timeout or abort the group gets
 * SIGTERM and, ten seconds later, SIGKILL, so that grandchildren do not outlive the run.
 */
export function runChild(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const isShown = options.output === 'show'
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: true,
      stdio: ['ignore', isShown ? 'inherit' : 'pipe', isShown ? 'inherit' : 'pipe'],
    })
    const said: { readonly from: 'stdout' | 'stderr'; readonly chunk: Buffer }[] = []
    for (const from of ['stdout', 'stderr'] as const) {
      child[from]?.on('data', (chunk: Buffer) => said.push({ from, chunk }))
    }
    const textOf = (from?: 'stdout' | 'stderr') =>
      Buffer.concat(said.filter((part) => !from || part.from === from).map((part) => part.chunk)).toString(
        'utf8',
      )
    let timedOut = false
    let hardStop: NodeJS.Timeout | undefined
    const stop = () => {
      endGroup(child.pid, 'SIGTERM')
      hardStop ??= setTimeout(() => endGroup(child.pid, 'SIGKILL'), 10_000)
    }
    const timer = setTimeout(() => {
      timedOut = true
      stop()
    }, options.timeout)
    options.signal?.addEventListener('abort', stop, { once: true })
    if (options.signal?.aborted) stop()
    const settle = () => {
      clearTimeout(timer)
      clearTimeout(hardStop)
      options.signal?.removeEventListener('abort', stop)
      // The leader is gone; whatever it left in its group goes with it.
      endGroup(child.pid, 'SIGKILL')
    }
    child.once('error', (error) => {
      settle()
      reject(error)
    })
    child.once('close', (exitCode) => {
      settle()
      resolve({ exitCode, output: textOf(), stdout: textOf('stdout'), stderr: textOf('stderr'), timedOut })
    })
  })
}

/** Signals a process group that this run started; a group that is gone is fine. */
export function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) signalQuietly(-pid, signal)
}

/** Kills one process that this run started; one that is gone is fine. */
export function endProcess(pid: number): void {
  signalQuietly(pid, 'SIGKILL')
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
