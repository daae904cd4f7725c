import { type Lifecycle, needsSupervision } from '../../agents/lifecycle.ts'
import { appendJournal } from '../../state/journal.ts'
import { isBottleError, toFailure } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import { settledHolder } from './lease.ts'

/**
 * Sees to it that somebody looks after an agent that has just been started: the process that holds the lease, or else a
 * detached one that is started now. It waits for nothing; a failure is told, since the agent runs all the same.
 */
export async function ensureSupervisor(
  deps: Pick<BottleDeps, 'root' | 'env'>,
  slug: string,
  lifecycle: Lifecycle,
  notice: (text: string) => void,
): Promise<void> {
  if (!needsSupervision(lifecycle)) return
  try {
    await ensureAnySupervisor(deps)
  } catch (thrown) {
    const text = `Nobody looks after ${slug}: ${toFailure(thrown).message} \`icebox supervise\` or the app does.`
    notice(text)
    await appendJournal(deps.root, slug, { op: 'supervise', outcome: 'failed', message: text })
  }
}

/** As `ensureSupervisor`, for whoever leaves agents behind. */
export async function ensureAnySupervisor(deps: Pick<BottleDeps, 'root' | 'env'>): Promise<void> {
  const holder = await settledHolder(deps.root).catch((thrown: unknown) => {
    // Somebody is about to take or give it back. A further supervisor ends by itself where one is enough.
    if (isBottleError(thrown) && thrown.code === 'busy') return null
    throw thrown
  })
  if (holder) return
  const { spawnSupervisor } = await import('./spawn-supervisor.ts')
  await spawnSupervisor(deps.root, deps.env)
}
