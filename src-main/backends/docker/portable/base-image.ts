import type { LaunchPlan, ReportProgress } from '../../backend.ts'
import type { BaseImage } from '../../portable.ts'
import type { Engine } from '../engine.ts'
import { ensureImage } from '../image-source.ts'
import { removeTag } from '../remove-objects.ts'

/** The image of a plan, pulled or built where it is not there; a built one has a tag only until it is released. */
export async function baseImage(
  engine: Engine,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<BaseImage> {
  const { id, reference, built } = await ensureImage(engine, plan, progress, signal)
  return {
    reference,
    digest: id,
    release: async (late) => {
      if (built) await removeTag(engine, built, late)
    },
  }
}
