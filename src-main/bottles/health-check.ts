import type { HealthCheck } from '../agents/definitions.ts'
import { openManifestIndex, resolveAgent } from '../agents/manifest-index.ts'
import { withRecordedAgent } from '../agents/recorded-agent.ts'
import type { Metadata } from '../state/metadata.ts'
import { toFailure } from '../system/bottle-error.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'

export interface FoundCheck {
  /** Null: the image's own check, or none. */
  readonly check: HealthCheck | null
  /** Why the definitions could not tell. */
  readonly notice: string | null
}

/** The health check that the definitions of a bottle name today: the agent's, else the bottle's. */
export async function findHealthCheck(
  deps: Pick<BottleDeps, 'root'>,
  slug: string,
  metadata: Metadata | null,
): Promise<FoundCheck> {
  if (!metadata?.agentName || metadata.icebox?.adopted) return { check: null, notice: null }
  try {
    const known = await openManifestIndex(deps.root, metadata.cwd || null)
    const index = await withRecordedAgent(known, metadata.agentName, metadata.icebox?.agentSource ?? '')
    const carried = definitionsDir(deps.root, slug)
    const isOwn =
      index.agents.has(metadata.agentName) && metadata.bottleNames.every((name) => index.bottles.has(name))
    const { agent, bottle } = isOwn
      ? await resolveAgent(index, metadata.agentName, metadata.bottleNames, { dropSkills: true })
      : await (await import('../agents/carried-definitions.ts')).resolveCarried(
          index,
          carried,
          metadata.agentName,
          metadata.bottleNames,
        )
    return { check: agent.health ?? bottle.health, notice: null }
  } catch (thrown) {
    const why = toFailure(thrown).message
    return {
      check: null,
      notice: `The definitions of ${slug} name no health check that could be read: ${why}`,
    }
  }
}
