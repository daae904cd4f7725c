import { bottleError } from '../system/bottle-error.ts'
import type { AgentDefinition, ResolvedAgent } from './definitions.ts'
import { loadBottles } from './load-bottle.ts'
import { loadAgent } from './load-manifest.ts'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import { didYouMean, manifestError, quoted, unwrap } from './problems.ts'
import { loadSkills } from './skills.ts'

export { listManifests, validateManifests } from './list-manifests.ts'
export { type ManifestIndex, openManifestIndex } from './manifest-scan.ts'

/**
 * Reads one agent and the bottles it needs, and nothing else. A non-empty launch list replaces the agent's own
 * `bottle`; its bottles merge in order by the rule of `extends`.
 * @throws BottleError `not-found` for an unknown agent or bottle on the launch list, else `manifest-invalid`.
 */
export async function resolveAgent(
  index: ManifestIndex,
  agentName: string,
  bottleNames: readonly string[],
  options: { readonly dropSkills?: boolean } = {},
): Promise<ResolvedAgent> {
  const found = requireAgent(index, agentName)
  const given = bottleNames.filter((name) => name !== '')
  for (const name of given) requireBottle(index, name)
  const agent = unwrap(await loadAgent(found))
  const names = given.length > 0 ? given : agent.bottle === null ? [] : [agent.bottle]
  if (names.length === 0) {
    const hint = didYouMean('', index.bottles.keys()) ?? `Write one in ${index.rootDir}/bottles first.`
    throw manifestError([
      {
        file: agent.file,
        line: 1,
        message: `agent '${agentName}' has no default bottle; pass --bottle.`,
        hint,
      },
    ])
  }
  const references = names.map((name) => ({ name, file: agent.file, line: agent.lines.bottle }))
  const bottle = unwrap(await loadBottles(index, references))
  const withProvider: AgentDefinition = agent.isProviderGiven
    ? agent
    : { ...agent, provider: bottle.provider?.name ?? agent.provider }
  return {
    agent: withProvider,
    bottle,
    bottleNames: names,
    notices: [...index.notices, ...hidden(found)],
    // The files of an agent's skills lie in its home already where its definition came along with its files.
    skillFiles: options.dropSkills ? {} : unwrap(await loadSkills(index.rootDir, agent)),
    rootDir: index.rootDir,
  }
}

/** @throws BottleError `not-found` that names what exists. */
export function requireAgent(index: ManifestIndex, name: string): ManifestFile {
  const found = index.agents.get(name)
  if (found) return found
  const hint =
    didYouMean(name, index.agents.keys()) ??
    `Write one with \`icebox init\`; agents live in ${index.rootDir}/agents.`
  throw bottleError('not-found', `There is no agent ${quoted(name)}. ${hint}`)
}

function requireBottle(index: ManifestIndex, name: string): void {
  if (index.bottles.has(name)) return
  const hint = didYouMean(name, index.bottles.keys()) ?? `Bottles live in ${index.rootDir}/bottles.`
  throw bottleError('not-found', `There is no bottle ${quoted(name)}. ${hint}`)
}

function hidden(found: ManifestFile): readonly string[] {
  return found.hides === null ? [] : [`The project's agent ${found.name} is used in place of ${found.hides}.`]
}
