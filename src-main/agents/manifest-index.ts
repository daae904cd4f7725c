import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import type { AgentDefinition, BottleDefinition, ResolvedAgent } from './definitions.ts'
import { limitReach, pathsWithin } from './limit-reach.ts'
import { loadBottles } from './load-bottle.ts'
import { loadAgent } from './load-manifest.ts'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import { didYouMean, manifestError, quoted, unwrap } from './problems.ts'
import { loadSkills } from './skills.ts'
import { isAgentPath, nameOfFile, searchFolders } from './yaml/yaml-files.ts'

export { agentProblems, listManifests, validateManifests } from './list-manifests.ts'
export { type ManifestIndex, openManifestIndex } from './manifest-scan.ts'

/**
 * Reads one agent and the bottles it needs, and nothing else. A non-empty launch list replaces the agent's own
 * `bottle`; its bottles merge in order by the rule of `extends`. Agent YAML is its own bottle, and those of the list
 * lie over it. The agent may be named by the path of its file.
 * @throws BottleError `not-found` for an unknown agent or bottle on the launch list, `unsupported` for what this
 * version or machine can't run, else `manifest-invalid`.
 */
export async function resolveAgent(
  index: ManifestIndex,
  agentName: string,
  bottleNames: readonly string[],
  options: { readonly dropSkills?: boolean; readonly mayRefuse?: boolean } = {},
): Promise<ResolvedAgent> {
  const found = requireAgent(index, agentName)
  const given = bottleNames.filter((name) => name !== '')
  for (const name of given) requireBottle(index, name)
  if (found.source === 'path') await requireFile(found.file)
  const { agent, notices } = await withinReach(index, found, unwrap(await loadAgent(index, found)))
  if (options.mayRefuse !== false) requireRunnable(agent)
  const names = given.length > 0 || agent.bottle === null ? given : [agent.bottle]
  if (names.length === 0 && !agent.ownBottle) {
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
  const bottle = withPermissions(agent, unwrap(await loadBottles(index, references, agent.ownBottle)))
  const withProvider: AgentDefinition = agent.isProviderGiven
    ? agent
    : { ...agent, provider: bottle.provider?.name ?? agent.provider }
  return {
    agent: withProvider,
    bottle,
    bottleNames: names,
    notices: [...index.notices, ...hidden(found), ...notices, ...(agent.notices ?? [])],
    // The files of an agent's skills lie in its home already where its definition came along with its files.
    skillFiles: options.dropSkills ? {} : unwrap(await loadSkills(index.rootDir, agent)),
    rootDir: index.rootDir,
  }
}

/** A project's agents may come with a cloned repository: they reach nothing of this machine. */
async function withinReach(
  index: ManifestIndex,
  found: ManifestFile,
  agent: AgentDefinition,
): Promise<{ readonly agent: AgentDefinition; readonly notices: readonly string[] }> {
  if (found.source !== 'project') return { agent, notices: [] }
  const limited = limitReach(agent, await pathsWithin(agent, index.projectDir))
  if (limited.dropped.length === 0) return { agent, notices: [] }
  return {
    agent: limited.agent,
    notices: [
      `${found.name} comes with the project, so these parts of it are left out: ${limited.dropped.join(', ')}. ` +
        `To have them, start it by its path, or copy it to ${index.rootDir}/agents.`,
    ],
  }
}

/** @throws BottleError `unsupported` before any side effect */
function requireRunnable(agent: AgentDefinition): void {
  const refusals = agent.refusals ?? []
  if (refusals.length === 0) return
  throw bottleError('unsupported', `${agent.name} can't be started here. ${refusals.join(' ')}`, {
    detail: agent.file,
  })
}

function withPermissions(agent: AgentDefinition, bottle: BottleDefinition): BottleDefinition {
  if (agent.skipsPermissions !== true || bottle.provider?.permissions) return bottle
  const none = { name: null, args: null, other: {} }
  return { ...bottle, provider: { ...none, ...bottle.provider, permissions: 'skip' } }
}

/** @throws BottleError `not-found` */
async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => null)
  if (!found) throw bottleError('not-found', `There is no file ${file}.`)
}

/**
 * The file of an agent, by its name or by its path.
 * @throws BottleError `not-found` that names what exists and where it was looked for.
 */
export function requireAgent(index: ManifestIndex, name: string): ManifestFile {
  const found = index.agents.get(name)
  if (found) return found
  if (isAgentPath(name)) {
    const base = index.projectDir || process.cwd()
    const file = resolve(base, name.startsWith('~/') ? `${index.homeDir}${name.slice(1)}` : name)
    return { kind: 'agent', name: nameOfFile(file), file, source: 'path', hides: null }
  }
  throw unknownAgent(index, name)
}

/** The index with the agent that a person named by its path, under that path; unchanged for a name. */
export function withNamedAgent(index: ManifestIndex, name: string): ManifestIndex {
  if (!isAgentPath(name)) return index
  return { ...index, agents: new Map([...index.agents, [name, requireAgent(index, name)]]) }
}

/** What is thrown for a name that no agent has: `not-found`, with what exists and where it was looked for. Pure. */
export function unknownAgent(index: ManifestIndex, name: string): Error {
  const hint =
    didYouMean(name, index.agents.keys()) ??
    `Write one with \`icebox init\`; agents live in ${index.rootDir}/agents.`
  return bottleError('not-found', `There is no agent ${quoted(name)}. ${hint}`, { detail: placesOf(index) })
}

function placesOf(index: ManifestIndex): string {
  const own = `${index.rootDir}/agents`
  const project = index.projectDir ? [`${index.projectDir}/.bot-bottle/agents`] : []
  const folders = [...project, own, ...searchFolders(index.homeDir, index.env)]
  const isSet = (index.env.SCITEX_AGENT_CONTAINER_YAML_DIRS ?? '') !== ''
  return `Looked in ${folders.join(', ')}; SCITEX_AGENT_CONTAINER_YAML_DIRS is ${isSet ? 'set' : 'not set'}.`
}

function requireBottle(index: ManifestIndex, name: string): void {
  if (index.bottles.has(name)) return
  const hint = didYouMean(name, index.bottles.keys()) ?? `Bottles live in ${index.rootDir}/bottles.`
  throw bottleError('not-found', `There is no bottle ${quoted(name)}. ${hint}`)
}

function hidden(found: ManifestFile): readonly string[] {
  if (found.hides === null) return []
  const what = found.source === 'project' ? `The project's agent ${found.name}` : found.file
  return [`${what} is used in place of ${found.hides}.`]
}
