import type { ResolvedAgent } from './definitions.ts'
import { limitReach } from './limit-reach.ts'
import { resolveAgent, unknownAgent } from './manifest-index.ts'
import { addCarried, type ManifestIndex } from './manifest-scan.ts'

/**
 * Reads an agent and its bottles, of which some may have come along with an imported bottle. What this machine defines
 * itself always wins. Definitions that came along are somebody else's: they may not reach this machine's folders, run
 * containers beside the bottle or hooks on this machine, build anything or choose where it runs, and what they would have is told.
 * @throws BottleError as `resolveAgent`
 */
export async function resolveCarried(
  index: ManifestIndex,
  carriedDir: string,
  agentName: string,
  bottleNames: readonly string[],
): Promise<ResolvedAgent> {
  const given = bottleNames.filter((name) => name !== '')
  const isOwn = index.agents.has(agentName) && given.every((name) => index.bottles.has(name))
  if (isOwn) return resolveAgent(index, agentName, bottleNames)
  const merged = await addCarried(index, carriedDir)
  // The name comes from the bottle's own records, and must never be read as the path of a file.
  if (!merged.agents.has(agentName)) throw unknownAgent(merged, agentName)
  const isAgentCarried = !index.agents.has(agentName) && merged.agents.has(agentName)
  const resolved = await resolveAgent(merged, agentName, bottleNames, { dropSkills: isAgentCarried })
  return withoutReach(resolved, isAgentCarried)
}

/** The same agent without what reaches out of the bottle. Pure. */
function withoutReach(resolved: ResolvedAgent, isAgentCarried: boolean): ResolvedAgent {
  const { bottle } = resolved
  const limited = isAgentCarried ? limitReach(resolved.agent) : { agent: resolved.agent, dropped: [] }
  const templates = isAgentCarried ? Object.keys(resolved.agent.envTemplates ?? {}) : []
  const dropped = [
    ...(bottle.mounts.length > 0 ? ['mounts'] : []),
    ...(Object.keys(bottle.sidecars).length > 0 ? ['sidecars'] : []),
    // Names of secrets stay, as a person gives their values here; mounts are told of the whole bottle.
    ...limited.dropped.filter((part) => part !== 'secrets' && part !== 'container.volumes'),
  ]
  const told =
    dropped.length > 0
      ? [`The definitions that came along with this bottle would have ${dropped.join(' and ')}: left out.`]
      : []
  return {
    ...resolved,
    agent: limited.agent,
    bottle: {
      ...bottle,
      secrets: bottle.secrets.filter((name) => !templates.includes(name)),
      mounts: [],
      sidecars: {},
      image: null,
      build: null,
      backend: null,
      provider: bottle.provider ? { ...bottle.provider, permissions: null } : null,
    },
    notices: [
      'This bottle runs by definitions that came along with it, not by your own.',
      ...told,
      ...resolved.notices,
    ],
  }
}
