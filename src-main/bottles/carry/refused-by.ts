import type { Difference, EngineReport } from '../../../src-preload/contract/index.ts'
import type { ImageSource, LaunchPlan } from '../../backends/backend.ts'
import { type BottleError, isBottleError } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import { draftTarget, type PreparedRun, toLaunchPlan } from '../prepare-run.ts'

/** Stands for the image that is not made yet; nothing is ever fetched by it. */
const NO_IMAGE: ImageSource = { kind: 'image', reference: 'icebox/not-made-yet' }

/**
 * What the other backend itself would refuse at the start, asked before anything is carried: a program that is not
 * there, a mount or a user that it can't give. Null when it would start the bottle.
 */
export async function refusedBy(
  deps: BottleDeps,
  slug: string,
  prepared: PreparedRun,
  report: EngineReport,
  signal: AbortSignal,
): Promise<Difference | null> {
  if (report.state !== 'ready') return null
  const image: ImageSource = prepared.backend.name === 'host' ? { kind: 'none' } : NO_IMAGE
  const plan = toLaunchPlan(deps, prepared, draftTarget(slug, image, null))
  try {
    await prepared.backend.preflight(plan, signal)
    return null
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown)) throw thrown
    return { about: aboutOf(thrown, plan), text: thrown.message, blocks: true }
  }
}

function aboutOf({ code, message }: BottleError, plan: LaunchPlan): Difference['about'] {
  if (code === 'policy-unenforceable') return 'network'
  if (code === 'forge-sidecar-missing') return 'forge'
  if (code === 'engine-missing') return 'programs'
  if (plan.sidecars.length > 0 && /sidecar/.test(message)) return 'sidecars'
  if (
    plan.mounts.some(({ source, target }) => message.includes(target) || (source && message.includes(source)))
  )
    return 'mounts'
  return plan.user !== null && message.includes(plan.user) ? 'user' : 'engine'
}
