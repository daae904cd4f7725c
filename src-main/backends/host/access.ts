import { bottleError } from '../../system/bottle-error.ts'
import { isPidTaken } from '../../system/process-identity.ts'
import type { AgentAccess, AgentPath } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { createTurns } from '../local/in-turn.ts'
import { outputTimes } from '../local/output-bell.ts'
import { listFiles, obstacleTo, readFile, removeFile, writeFile } from './access-files.ts'
import { createScreens } from './access-screen.ts'
import { typeStrokes } from './access-type.ts'
import type { HostContext } from './host-context.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

/** What a supervisor needs of a bottle on this machine. */
export function hostAccess(context: HostContext): AgentAccess {
  const inTurn = createTurns()
  return {
    screen: createScreens(context),
    type: (ref, strokes, signal) => inTurn(ref.runId, () => typeStrokes(context, ref, strokes, signal)),
    output: (ref, signal) => {
      const { run } = pathsOf(context.home, ref)
      const { pid } = hostFacts(ref).identity
      const hasEnded = async (isNet: boolean) =>
        !(isNet && isPidTaken(pid)) && (await runState(run)).kind !== 'running'
      return outputTimes(run.log, run.dir, hasEnded, signal)
    },
    async list(ref, folder, limit, signal) {
      const at = await placeOf(context, ref, folder)
      return at ? listFiles(at.base, at.place, limit, signal) : []
    },
    async read(ref, file, tailBytes) {
      const at = await placeOf(context, ref, file)
      return at && readFile(at.base, at.place, tailBytes)
    },
    async obstacle(ref, file) {
      const at = await placeOf(context, ref, file)
      return at && obstacleTo(at.base, at.place)
    },
    async write(ref, file, content) {
      const at = await placeOf(context, ref, file)
      if (!at)
        throw bottleError('not-found', `The run ${ref.runId} of ${ref.slug} is gone.`, { slug: ref.slug })
      await writeFile(at.base, at.place, content)
    },
    async remove(ref, file) {
      const at = await placeOf(context, ref, file)
      if (at) await removeFile(at.base, at.place)
    },
  }
}

/** Null for a run that a later one has replaced: the bottle's folders are that one's now. */
async function placeOf(
  context: HostContext,
  ref: RuntimeRef,
  { base, path }: AgentPath,
): Promise<{ readonly base: string; readonly place: AgentPath } | null> {
  const { bottle, run } = pathsOf(context.home, ref)
  if ((await runState(run)).kind === 'gone') return null
  if (base === 'home') return { base: bottle.home, place: { base, path } }
  const { workdir } = hostFacts(ref)
  // A path from the root stays one, so that it is refused.
  const inside = workdir === '' || path.startsWith('/') ? path : `${workdir}/${path}`
  return { base: bottle.workspace, place: { base, path: inside } }
}
