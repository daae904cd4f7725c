import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { readJsonObject } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { type Member, type RunProcesses, runFamily, sendSignal } from '../local/process-family.ts'
import { threadStates } from '../local/process-table.ts'

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
  // Written first, so that whoever continues after our death knows what was stopped already. Only a living system
  // has stopped processes, so nothing here has to survive a power cut.
  await writeFile(pauseFile, JSON.stringify({ spared: [...spared] }), { mode: 0o600 })
  const began = performance.now()
  try {
    await stopAll(run, before, spared, signal)
    await work()
  } finally {
    await continueAll(run, spared)
  }
  const pausedMs = performance.now() - began
  await rm(pauseFile, { force: true })
  return pausedMs
}

/** Stops parents before children, so that no parent runs on and reacts; repeats until nothing new turns up. */
async function stopAll(
  run: RunProcesses,
  first: readonly Member[],
  spared: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + STANDSTILL_MS
  let members = first
  for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
    signal.throwIfAborted()
    const moving = await movingOf(members)
    if (moving.length === 0) return
    if (performance.now() > deadline) {
      const names = moving.map(({ member }) => member.pid).join(', ')
      throw bottleError(
        'timeout',
        `Process ${names} could not be paused, so no consistent copy was possible.`,
      )
    }
    for (const { member, isBlocked } of moving) {
      sendSignal(member.pid, 'SIGSTOP')
      // A parent waits in the kernel until the child that it just made has begun its program, and stops only then.
      if (!isBlocked) continue
      const children = members.filter((child) => child.parent === member.pid && isStopped(child))
      for (const child of children) if (!spared.has(child.pid)) sendSignal(child.pid, 'SIGCONT')
    }
    await delay(wait)
    members = await runFamily(run)
  }
}

interface Moving {
  readonly member: Member
  /** A thread of it is inside a call that no signal interrupts. */
  readonly isBlocked: boolean
}

/** Those of which any thread does not stand still, parents first. The runner is not asked. */
async function movingOf(members: readonly Member[]): Promise<readonly Moving[]> {
  const found = await Promise.all(
    members.map(async (member): Promise<Moving | null> => {
      if (member.depth === 0) return null
      const states = isStopped(member) ? await threadStates(member.pid) : member.state
      return /[^TtZX]/.test(states) ? { member, isBlocked: states.includes('D') } : null
    }),
  )
  return found.filter((moving) => moving !== null)
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
  await rm(pauseFile, { force: true })
}
