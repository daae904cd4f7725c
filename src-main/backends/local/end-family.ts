import { setTimeout as delay } from 'node:timers/promises'
import { type Member, type RunProcesses, runFamily, sendSignal } from './process-family.ts'

/** How long killed processes may take to vanish. */
const VANISH_MS = 5000

/**
 * Ends all processes of a run: asks, waits up to `graceSeconds`, then kills. The runner is left to record the
 * agent's end and goes by itself. Resolves with the pids that would not go.
 */
export async function endFamily(
  run: RunProcesses,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const asked = new Set<number>()
  const askDeadline = performance.now() + graceSeconds * 1000
  for (let wait = 5; graceSeconds > 0; wait = Math.min(wait * 2, 100)) {
    signal.throwIfAborted()
    const members = await runFamily(run)
    if (members.length === 0) return []
    for (const member of members.filter((each) => isAskable(run, each) && !asked.has(each.pid))) {
      asked.add(member.pid)
      sendSignal(member.pid, 'SIGTERM')
      // A stopped process only hears the signal once it runs again.
      sendSignal(member.pid, 'SIGCONT')
    }
    if (performance.now() > askDeadline) break
    await delay(Math.min(wait, Math.max(1, askDeadline - performance.now())))
  }
  return killFamily(run)
}

/** The sandbox's own two processes would end without the agent, and then lie about its exit code. */
function isAskable(run: RunProcesses, member: Member): boolean {
  return member.depth > (run.isContained ? 2 : 0)
}

/** Kills until nothing is left; the runner only when it outlives the rest. Resolves with what stayed. */
async function killFamily(run: RunProcesses): Promise<readonly number[]> {
  const deadline = performance.now() + VANISH_MS
  for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
    const members = await runFamily(run)
    if (members.length === 0) return []
    const isLate = performance.now() > deadline - VANISH_MS / 2
    for (const member of members) {
      if (member.depth > 0 || isLate) sendSignal(member.pid, 'SIGKILL')
      else sendSignal(member.pid, 'SIGCONT')
    }
    if (performance.now() > deadline) return members.map((member) => member.pid)
    await delay(wait)
  }
}
