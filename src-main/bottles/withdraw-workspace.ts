import { readLaunched } from '../agents/launched-agent.ts'
import { WORKSPACE_REMOVAL } from '../agents/workspace/workspace-files.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { mergeFiles } from '../backends/merge-files.ts'
import { toBottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import type { OperationContext } from './services.ts'

/**
 * Takes out of a bottle what its start put into CLAUDE.md, .mcp.json and settings, while it still runs, since some engines
 * can remove nothing later. What can't be taken out is told and stops nothing: the next start takes it back.
 */
export async function withdrawWorkspace(
  deps: BottleDeps,
  backend: Backend,
  ref: RuntimeRef,
  { signal, notice }: OperationContext,
): Promise<void> {
  if (!backend.access || !(await readLaunched(deps.root, ref.slug, ref.runId))) return
  try {
    const access = await backend.access()
    const notices = await mergeFiles(WORKSPACE_REMOVAL, {
      async read(file) {
        const blocked = await access.obstacle(ref, file, signal)
        return blocked ? { blocked } : access.read(ref, file, null, signal)
      },
      write: (file, content) => access.write(ref, file, content, signal),
      remove: (file) => access.remove(ref, file, signal),
    })
    for (const text of notices) notice(text)
  } catch (thrown) {
    if (signal.aborted) throw thrown
    notice(
      `What Icebox had put into the working folder stays there for now. ${toBottleError(thrown).message}`,
    )
  }
}
