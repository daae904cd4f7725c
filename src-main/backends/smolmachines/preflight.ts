import { stat } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { LaunchPlan } from '../backend.ts'
import { TMUX_FIX } from '../local/terminal.ts'
import type { SmolContext } from './context.ts'
import { requireSource } from './image-source.ts'
import { checkPlan, launchNotices } from './launch-plan.ts'

/** Refuses what this smolvm can't do for the plan; nothing has happened yet. Resolves with notices. @throws BottleError */
export async function preflightSmol(
  context: SmolContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const features = await context.client.features(signal)
  checkPlan(plan, features)
  await requireFolders(plan)
  await requireSource(context, plan, features)
  if (plan.tty && !(await context.tmux())) {
    throw bottleError(
      'engine-missing',
      `An interactive bottle on smolmachines needs tmux. Install it: ${TMUX_FIX}`,
    )
  }
  return launchNotices(plan, features)
}

async function requireFolders({ mounts, slug }: LaunchPlan): Promise<void> {
  for (const { source } of mounts) {
    const found = await stat(source).catch(() => null)
    if (!found) throw bottleError('not-found', `The folder to mount, ${source}, does not exist.`, { slug })
    if (found.isDirectory()) continue
    throw bottleError(
      'unsupported',
      `smolvm mounts folders only, and ${source} is a file. Mount its folder.`,
      {
        slug,
      },
    )
  }
}
