import type { Icebox } from '../icebox.ts'
import { createTaskQueue, type TaskQueue } from '../tasks/task-queue.ts'
import { createHandlers } from './handlers/handlers.ts'
import { createRouter, type Router } from './router.ts'
import { createStateHub, type StateHub } from './state-hub.ts'
import { createTransfers, type Transfers } from './transfers/transfers.ts'

/** What stands behind every page of one process, whatever carries its messages. */
export interface Core {
  readonly tasks: TaskQueue
  readonly hub: StateHub
  readonly router: Router
  readonly transfers: Transfers
  /** Ends tasks, giving them so long to roll back, then everything else. Idempotent. */
  close(taskGraceMs: number): Promise<void>
}

/** Wires tasks, state, calls and files over the services, and puts in order what dead processes left half done. */
export function createCore(
  icebox: Icebox,
  version: string,
  warn: (error: unknown) => void,
  kind: 'desktop' | 'serve' = 'serve',
): Core {
  const stop = new AbortController()
  const tasks = createTaskQueue()
  const hub = createStateHub({ bottles: icebox.bottles, tasks, home: icebox.root.dir, version, warn })
  const transfers = createTransfers(icebox.root, warn)
  const leaveTasks = tasks.onChange(sweepAfterDeletions(tasks, transfers, warn))
  const router = createRouter(createHandlers(icebox, tasks, hub, transfers, stop.signal))
  // Keeps `settings.all()` current with what other programs write.
  const leaveSettings = icebox.settings().then((settings) => settings.watch(() => {}))
  leaveSettings.catch(warn)
  // After the first list, which must not wait for it. What dead processes left comes before agents are looked after.
  const supervising = hub
    .snapshot()
    .then(() => recover(icebox, stop.signal))
    .catch((error: unknown) => stop.signal.aborted || warn(error))
    .then(() => icebox.supervise({ kind, signal: stop.signal, warn }))
    .catch((error: unknown) => {
      if (!stop.signal.aborted) warn(error)
      return 0
    })
  let closing: Promise<void> | undefined
  return {
    tasks,
    hub,
    router,
    transfers,
    close(taskGraceMs) {
      closing ??= (async () => {
        await tasks.close(taskGraceMs)
        leaveTasks()
        await transfers.close()
        hub.close()
        await leaveSettings.then((leave) => leave()).catch(() => undefined)
        stop.abort()
        // Whoever still runs is looked after by a process of its own from now on.
        if ((await supervising) > 0) await icebox.handOver().catch(warn)
      })()
      return closing
    },
  }
}

const DELETING: ReadonlySet<string> = new Set(['delete-snapshot', 'destroy', 'prune', 'freeze'])

/** A snapshot that is gone must not lie ready to be dragged. */
function sweepAfterDeletions(
  tasks: TaskQueue,
  transfers: Transfers,
  warn: (error: unknown) => void,
): () => void {
  let running: ReadonlySet<string> = new Set()
  return () => {
    const deleting = tasks.list().filter(({ kind }) => DELETING.has(kind))
    const now = new Set(deleting.filter(({ state }) => state === 'running').map(({ id }) => id))
    const hasEnded = [...running].some((id) => !now.has(id))
    running = now
    if (hasEnded) transfers.drag.sweep().catch(warn)
  }
}

async function recover({ bottles }: Icebox, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await bottles.recover({
    signal,
    progress: () => {},
    notice: () => {},
    confirm: () => Promise.resolve(false),
  })
}
