import type { ManifestSummary } from '../../src-preload/contract/index.ts'
import { bottleError } from '../system/bottle-error.ts'
import { type Lifecycle, needsSupervision } from './lifecycle.ts'
import { loadBottles } from './load-bottle.ts'
import { loadAgent } from './load-manifest.ts'
import type { ManifestFile, ManifestIndex } from './manifest-scan.ts'
import type { Parsed } from './problems.ts'
import { describeProblem, didYouMean, type ManifestProblem, quoted } from './problems.ts'
import { loadSkills } from './skills.ts'

/** All agents and bottles as pickers show them; a broken one carries its `problem` and blocks nothing. */
export async function listManifests(
  index: ManifestIndex,
): Promise<{ agents: ManifestSummary[]; bottles: ManifestSummary[] }> {
  const misnamed = index.misnamed.map((found) => ({
    ...blank(found),
    problem: describeProblem(badName(found)),
  }))
  const agents = await Promise.all([...index.agents.values()].map((found) => summariseAgent(index, found)))
  const bottles = await Promise.all([...index.bottles.values()].map((found) => summariseBottle(index, found)))
  return {
    agents: [...agents, ...misnamed.filter((summary) => summary.kind === 'agent')],
    bottles: [...bottles, ...misnamed.filter((summary) => summary.kind === 'bottle')],
  }
}

/**
 * Every error of every manifest, or of the agent and bottle called `name`, at once.
 * @throws BottleError `not-found` when nothing is called `name`.
 */
export async function validateManifests(
  index: ManifestIndex,
  name?: string,
): Promise<readonly ManifestProblem[]> {
  const isWanted = (found: ManifestFile): boolean => name === undefined || found.name === name
  const agents = [...index.agents.values()].filter(isWanted)
  const bottles = [...index.bottles.values()].filter(isWanted)
  const misnamed = index.misnamed.filter(isWanted)
  if (name !== undefined && agents.length + bottles.length + misnamed.length === 0) {
    const hint = didYouMean(name, [...index.agents.keys(), ...index.bottles.keys()])
    throw bottleError('not-found', `There is no agent or bottle ${quoted(name)}.${hint ? ` ${hint}` : ''}`)
  }
  const checked = await Promise.all([
    ...agents.map((found) => agentProblems(index, found)),
    ...bottles.map((found) => checkBottle(index, found)),
  ])
  const problems = [...misnamed.map(badName), ...checked.flat()]
  const unique = new Map(problems.map((problem) => [JSON.stringify(problem), problem]))
  return [...unique.values()].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

/** Every error of one agent, of the bottles it names and of its skills. */
export async function agentProblems(
  index: ManifestIndex,
  found: ManifestFile,
): Promise<readonly ManifestProblem[]> {
  const parsed = await loadAgent(index, found)
  if (!parsed.ok) return parsed.problems
  const agent = parsed.value
  const reference =
    agent.bottle === null ? [] : [{ name: agent.bottle, file: agent.file, line: agent.lines.bottle }]
  return [
    ...(reference.length > 0 ? problemsOf(await loadBottles(index, reference)) : []),
    ...problemsOf(await loadSkills(index.rootDir, agent)),
  ]
}

async function checkBottle(index: ManifestIndex, found: ManifestFile): Promise<readonly ManifestProblem[]> {
  return problemsOf(await loadBottles(index, [{ name: found.name, file: found.file, line: 1 }]))
}

function problemsOf(parsed: Parsed<unknown>): readonly ManifestProblem[] {
  return parsed.ok ? [] : parsed.problems
}

async function summariseAgent(index: ManifestIndex, found: ManifestFile): Promise<ManifestSummary> {
  const parsed = await loadAgent(index, found)
  if (!parsed.ok) return { ...blank(found), ...inWords(parsed.problems) }
  const agent = parsed.value
  const summary = {
    ...blank(found),
    life: lifeOf(agent.lifecycle),
    description: agent.description,
    provider: agent.provider,
    bottle: agent.bottle,
  }
  const skills = await loadSkills(index.rootDir, agent)
  if (agent.bottle === null) {
    const own = { backend: agent.ownBottle?.backend ?? null, problem: agent.refusals?.[0] ?? null }
    return { ...summary, ...own, ...(skills.ok ? {} : { problem: firstProblem(skills.problems) }) }
  }
  const bottle = await loadBottles(index, [
    { name: agent.bottle, file: agent.file, line: agent.lines.bottle },
  ])
  if (!bottle.ok) return { ...summary, problem: firstProblem(bottle.problems) }
  const provider = agent.isProviderGiven ? agent.provider : (bottle.value.provider?.name ?? agent.provider)
  const problem = skills.ok ? null : firstProblem(skills.problems)
  return { ...summary, provider, backend: bottle.value.backend, problem }
}

async function summariseBottle(index: ManifestIndex, found: ManifestFile): Promise<ManifestSummary> {
  const bottle = await loadBottles(index, [{ name: found.name, file: found.file, line: 1 }])
  if (!bottle.ok) return { ...blank(found), problem: firstProblem(bottle.problems) }
  return { ...blank(found), provider: bottle.value.provider?.name ?? '', backend: bottle.value.backend }
}

/** The first problem, and all of them where there are several. */
function inWords(problems: readonly ManifestProblem[]): Pick<ManifestSummary, 'problem' | 'problems'> {
  const [first, ...more] = problems.map(describeProblem)
  if (first === undefined) return { problem: null }
  return more.length > 0 ? { problem: first, problems: [first, ...more] } : { problem: first }
}

function lifeOf(lifecycle: Lifecycle): NonNullable<ManifestSummary['life']> {
  const hooks = Object.values(lifecycle.hooks).reduce((sum, entries) => sum + entries.length, 0)
  return { runtime: lifecycle.runtime, hooks, supervised: needsSupervision(lifecycle) }
}

function firstProblem(problems: readonly ManifestProblem[]): string {
  return problems[0] ? describeProblem(problems[0]) : 'The manifest has an error.'
}

function badName(found: ManifestFile): ManifestProblem {
  return {
    file: found.file,
    line: 1,
    message: `${quoted(found.name)} can't be the name of ${found.kind === 'agent' ? 'an agent' : 'a bottle'}.`,
    hint: 'Rename the file: letters, digits and hyphens.',
  }
}

function blank(found: ManifestFile): ManifestSummary {
  const { name, kind, source, file } = found
  return {
    name,
    kind,
    // No index lists a file that only a call names.
    source: source === 'path' ? 'home' : source,
    file,
    description: '',
    provider: '',
    bottle: null,
    backend: null,
    problem: null,
  }
}
