import { spawn } from 'node:child_process'
import { bottleError } from '../../../system/bottle-error.ts'

const KEPT_OUTPUT = 4096
/** What a shell says for a program that was ended for taking too long. */
const TIMED_OUT = 124

interface CheckPlan {
  readonly program: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeoutSeconds: number
  /** A further open file of the child, to be read to its end. */
  readonly statusFd?: number
}

/**
 * Runs a check in a process group of its own, of which nothing is left afterwards. A check that does not end in time
 * has failed with 124.
 * @throws BottleError `cancelled`, `engine-failed`
 */
export async function runCheck(
  plan: CheckPlan,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly output: string; readonly status: string }> {
  signal.throwIfAborted()
  const child = spawn(plan.program, [...plan.argv], {
    cwd: plan.cwd,
    env: { ...plan.env },
    stdio: ['ignore', 'pipe', 'pipe', ...statusFiles(plan.statusFd)],
    detached: true,
  })
  let output = Buffer.alloc(0)
  const keep = (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]).subarray(-KEPT_OUTPUT)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let status = ''
  const statusFile = plan.statusFd === undefined ? null : child.stdio[plan.statusFd]
  if (statusFile && 'read' in statusFile)
    statusFile.on('data', (chunk: Buffer) => (status += chunk.toString()))
  let isLate = false
  const end = () => endGroup(child.pid)
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, plan.timeoutSeconds * 1000)
  signal.addEventListener('abort', end, { once: true })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (exitCode) => {
        // A child of the check may hold its output open for ever.
        end()
        child.once('close', () => resolve(exitCode))
      })
    }).catch((thrown: Error) => {
      throw bottleError('engine-failed', 'The check could not be started.', {
        detail: thrown.message,
        cause: thrown,
      })
    })
    if (signal.aborted) throw bottleError('cancelled')
    return { exitCode: isLate ? TIMED_OUT : (code ?? 137), output: output.toString('utf8'), status }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    end()
  }
}

function statusFiles(fd: number | undefined): ('ignore' | 'pipe')[] {
  if (fd === undefined) return []
  return Array.from({ length: fd - 2 }, (_, at) => (at === fd - 3 ? 'pipe' : 'ignore'))
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (thrown) {
    // Nobody left in it.
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}
