import { readLaunched } from '../agents/launched-agent.ts'
import { WORKSPACE_REMOVAL } from '../agents/workspace/workspace-files.ts'
import type { AgentAccess, AgentPath } from '../backends/agent-access.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { type MergeAccess, mergeFiles } from '../backends/merge-files.ts'
import { toBottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import type { OperationContext } from './services.ts'

/** Milliseconds that a working folder on this machine may take: whoever needs the bottle's lock waits for it. */
const MOUNTED_MS = 10_000

type Telling = Pick<OperationContext, 'signal' | 'notice'>

/**
 * Takes out of a bottle what its start put into CLAUDE.md, .mcp.json and settings, while it still runs, since some engines
 * can remove nothing later. What can't be taken out is told and stops nothing: the next start takes it back.
 */
export async function withdrawWorkspace(
  deps: BottleDeps,
  backend: Backend,
  ref: RuntimeRef,
  context: Telling,
): Promise<void> {
  const { signal } = context
  await withdraw(deps, backend, ref, context, async (access) => ({
    read: readBy(access, ref, signal),
    write: (file, content) => access.write(ref, file, content, signal),
    remove: (file) => access.remove(ref, file, signal),
  }))
}

/**
 * The same for a run that works in a folder of this machine, whether it runs or not: the folder outlives the run, and no
 * later start need come. All other runs are left alone. Never throws but for an abort.
 */
export async function withdrawMounted(
  deps: BottleDeps,
  backend: Backend,
  ref: RuntimeRef,
  { signal, notice }: Telling,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(MOUNTED_MS)])
  await withdraw(deps, backend, ref, { signal, notice }, async (access) => {
    const folder = (await backend.mountedWorkspace?.(ref, limited)) ?? null
    if (folder === null) return null
    const { removeFile, writeFile } = await import('../backends/host/access-files.ts')
    const isHere = ({ base }: AgentPath) => base === 'workspace'
    return {
      // As the engine sees it: the agent may have been another user.
      read: readBy(access, ref, limited),
      write: (file, content) =>
        isHere(file) ? writeFile(folder, file, content) : access.write(ref, file, content, limited),
      // Engines can only add to what has ended.
      remove: (file) =>
        isHere(file) ? removeFile(folder, file) : access.write(ref, file, Buffer.from('{}\n'), limited),
    }
  })
}

async function withdraw(
  deps: BottleDeps,
  backend: Backend,
  ref: RuntimeRef,
  { signal, notice }: Telling,
  reach: (access: AgentAccess) => Promise<MergeAccess | null>,
): Promise<void> {
  if (!backend.access || !(await readLaunched(deps.root, ref.slug, ref.runId))) return
  try {
    const access = await reach(await backend.access())
    if (!access) return
    for (const text of await mergeFiles(WORKSPACE_REMOVAL, access)) notice(text)
  } catch (thrown) {
    if (signal.aborted) throw thrown
    notice(
      `What Icebox had put into the working folder stays there for now. ${toBottleError(thrown).message}`,
    )
  }
}

function readBy(access: AgentAccess, ref: RuntimeRef, signal: AbortSignal): MergeAccess['read'] {
  return async (file) => {
    const blocked = await access.obstacle(ref, file, signal)
    return blocked ? { blocked } : access.read(ref, file, null, signal)
  }
}
