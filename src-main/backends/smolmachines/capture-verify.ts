import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Captured } from '../backend.ts'
import { dropPartial, makePartial } from './capture-files.ts'
import { withHelper } from './capture-helper.ts'
import { LISTING, listingProblem } from './capture-listing.ts'
import { markerProblem } from './capture-marker.ts'
import type { FreezerTools } from './capture-scene.ts'
import { sourceOf } from './capture-source.ts'
import { fillRoot } from './guest-tar-fill.ts'

/**
 * Makes a machine of what was captured, without network, and reads back what was written before the freeze: a pack that
 * lost its files boots all the same. A checkpoint is not booted, since its agent would act a second time.
 * @returns why it is not what was frozen, as a sentence; null when it is. @throws BottleError when nobody can tell
 */
export async function captureProblem(
  tools: FreezerTools,
  slug: string,
  captured: Captured,
  partsDir: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { marker, frozenAt } = captured.facts
  if (typeof marker !== 'string') return null
  const partial = await makePartial(partsDir)
  try {
    return await withHelper(
      tools.machines,
      tools.home,
      sourceOf(captured.reference),
      { slug, isStarted: true },
      signal,
      async (machine) => {
        await fillRoot(tools.machines, machine, partsDir, captured.facts, signal)
        const problem = await markerProblem(tools, machine, marker, partial, signal)
        const saved = join(partsDir, LISTING)
        const isListed = (await lstat(saved).catch(() => null)) !== null
        if (problem !== null || !isListed || typeof frozenAt !== 'number') return problem
        return listingProblem(tools.machines, machine, saved, frozenAt, signal)
      },
    )
  } finally {
    await dropPartial(partsDir)
  }
}
