import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { leaseHolder } from '../../src-main/bottles/supervise/lease.ts'
import type { StateRoot } from '../../src-main/state/root.ts'
import { endProcess } from './child.ts'
import { OUT } from './icebox-home.ts'
import { until } from './supervised-world.ts'

/** A supervisor that is a process of its own: the built `icebox supervise`, or a built `icebox serve`. */
export interface SupervisorChild {
  readonly pid: number
  /** Resolves when it has ended, with its exit code; null for a signal. */
  readonly ended: Promise<number | null>
  /** `kill -9`. */
  kill(): Promise<void>
  /** SIGTERM. */
  end(): Promise<void>
}

/**
 * Starts one and waits until it holds the lease or has ended. A start of an agent that finds nobody there leaves a
 * supervisor of its own, so a test that went on earlier could meet two.
 */
export async function superviseChild(
  root: StateRoot,
  env: NodeJS.ProcessEnv,
  fault?: string,
  command: readonly string[] = ['supervise'],
): Promise<SupervisorChild> {
  const child = spawn(process.execPath, [join(OUT, 'main/cli.js'), ...command, '--home', root.dir], {
    env: { ...env, ...(fault ? { ICEBOX_FAULT: fault } : {}) },
    stdio: 'ignore',
  })
  let hasEnded = false
  const ended = once(child, 'exit').then(([code]) => {
    hasEnded = true
    return code as number | null
  })
  const { pid = 0 } = child
  await until(
    'it supervises',
    async () => (await leaseHolder(root))?.holder?.pid === pid || (hasEnded && fault !== undefined),
  )
  return {
    pid,
    ended,
    async kill() {
      endProcess(pid)
      await ended
    },
    async end() {
      process.kill(pid, 'SIGTERM')
      await ended
    },
  }
}
