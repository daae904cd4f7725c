import type { Done } from '../../../src-preload/contract/index.ts'
import type { FinishedRun, Launched, OperationContext } from '../../bottles/services.ts'
import type { TaskContext } from '../../tasks/task-queue.ts'

/**
 * The work of a task that launches an agent: it ends once the agent runs, while the service goes on waiting for
 * the exit and records it. Cancelling reaches the launch only; a running agent is stopped by "stop", and it
 * outlives this process. `end` ends the waiting when the process does.
 */
export async function untilLaunched(
  context: TaskContext,
  end: AbortSignal,
  launch: (operation: OperationContext, onLaunched: (run: Launched) => void) => Promise<FinishedRun>,
  message: (run: Launched) => string,
  options: { readonly renames: boolean } = { renames: true },
): Promise<string> {
  const launching = new AbortController()
  const cancel = (): void => launching.abort(context.signal.reason)
  context.signal.throwIfAborted()
  context.signal.addEventListener('abort', cancel, { once: true })
  try {
    const run = await new Promise<Launched>((resolve, reject) => {
      const onLaunched = (launched: Launched): void => {
        context.signal.removeEventListener('abort', cancel)
        if (options.renames) context.named(launched.slug)
        resolve(launched)
      }
      // What comes after the launch is in the bottle's own row: its exit code, or why it failed.
      launch({ ...context, signal: AbortSignal.any([launching.signal, end]) }, onLaunched).then(
        onLaunched,
        reject,
      )
    })
    return message(run)
  } finally {
    context.signal.removeEventListener('abort', cancel)
  }
}

/** A closing sentence plus what could not be done. */
export function closing(sentence: string, { left, unrecoverable }: Done): string {
  return [
    sentence,
    left.length > 0 ? `Left: ${left.join(', ')}.` : '',
    unrecoverable.length > 0 ? `Can't be brought back: ${unrecoverable.join(', ')}.` : '',
  ]
    .filter(Boolean)
    .join(' ')
}
