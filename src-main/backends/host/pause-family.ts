import { setTimeout as delay } from 'node:timers/promises'
import { readJsonObject, removeDurable, writeDurable } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { type Member, type RunProcesses, runFamily, sendSignal } from './process-family.ts'

/** Longest wait for every process to stand still; one in an uninterruptible call stops only after it. */
const STANDSTILL_MS = 10_000

const isStopped = (member: Member): boolean => member.state === 'T' || member.state === 't'

/**
 * Runs `work` while no process of the run runs, and lets them go on afterwards whatever happens.
 * The runner itself is spared: a terminal server would wake it at once, and it only waits. Processes that were
 * stopped before (a job put aside with Ctrl-Z) stay stopped. Resolves with the time they stood still in ms.
 * @throws BottleError `timeout` when a process can't be stopped; everything runs again then
 */
export async function whilePaused(
  run: RunProcesses,
  pauseFile: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<number> {
  const before = await runFamily(run)
  if (before.length === 0) {
    await work()
    return 0
  }
  const spared = new Set(before.filter(isStopped).map((member) => member.pid))
  // Written first, so that whoever continues after our death knows what was stopped already.
  await writeDurable(pauseFile, JSON.stringify({ spared: [...spared] }))
  const began = performance.now()
  try {
    await stopAll(run, signal)
    await work()
  } finally {
    await continueAll(run, spared)
  }
  const pausedMs = performance.now() - began
  await removeDurable(pauseFile)
  return pausedMs
}

/** Stops parents before children, so that no parent runs on and reacts; repeats until nothing new turns up. */
async function stopAll(run: RunProcesses, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + STANDSTILL_MS
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    signal.throwIfAborted()
    const running = (await runFamily(run)).filter((member) => member.depth > 0 && !isStopped(member))
    if (running.length === 0) return
    if (performance.now() > deadline) {
      const names = running.map((member) => member.pid).join(', ')
      throw bottleError(
        'timeout',
        `Process ${names} could not be paused, so no consistent copy was possible.`,
      )
    }
    for (const member of running) sendSignal(member.pid, 'SIGSTOP')
    await delay(wait)
  }
}

/** Children first: a parent that runs again finds them running. */
async function continueAll(run: RunProcesses, spared: ReadonlySet<number>): Promise<void> {
  const stopped = (await runFamily(run)).filter((member) => isStopped(member) && !spared.has(member.pid))
  for (const member of stopped.toReversed()) sendSignal(member.pid, 'SIGCONT')
}

/** Continues what a dead process stopped for a freeze; does nothing when no pause was begun. */
export async function endDeadPause(run: RunProcesses, pauseFile: string): Promise<void> {
  const read = await readJsonObject(pauseFile)
  if (read.kind === 'absent') return
  const listed = read.kind === 'ok' && Array.isArray(read.value.spared) ? read.value.spared : []
  await continueAll(run, new Set(listed.filter((pid) => typeof pid === 'number')))
  await removeDurable(pauseFile)
}
