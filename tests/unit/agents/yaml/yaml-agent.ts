import type { AgentDefinition } from '../../../../src-main/agents/definitions.ts'
import { readYamlFile } from '../../../../src-main/agents/frontmatter.ts'
import { collectProblems, type ManifestProblem } from '../../../../src-main/agents/problems.ts'
import { hostIdentity } from '../../../../src-main/agents/yaml/host-identity.ts'
import { agentFromYaml } from '../../../../src-main/agents/yaml/parse-yaml-agent.ts'
import type { YamlOrigin } from '../../../../src-main/agents/yaml/read-head.ts'

/** A machine called `box.example.org` with a user `/home/me`. */
export const ORIGIN: YamlOrigin = {
  file: '/r/agents/worker/spec.yaml',
  source: 'home',
  foundAs: 'worker',
  folderName: 'worker',
  fixedName: null,
  homeDir: '/home/me',
  env: { EDITOR_NAME: 'vi', EMPTY: '' },
  host: hostIdentity({ hostname: 'box.example.org', override: undefined, aliasOf: {}, aliases: [] }),
}

export interface Read {
  readonly agent: AgentDefinition | undefined
  readonly problems: readonly ManifestProblem[]
}

/** What the text says, and everything that is wrong with it. */
export async function readAgent(text: string, origin: Partial<YamlOrigin> = {}): Promise<Read> {
  const all = { ...ORIGIN, ...origin }
  const { report, problems } = collectProblems(all.file)
  const root = await readYamlFile(text, report)
  return { agent: root && agentFromYaml(root, all, report), problems }
}

/** The agent of a text that has no errors. */
export async function validAgent(text: string, origin: Partial<YamlOrigin> = {}): Promise<AgentDefinition> {
  const { agent, problems } = await readAgent(text, origin)
  if (!agent || problems.length > 0) throw new Error(JSON.stringify(problems, null, 2))
  return agent
}

/** A v3 file with the given lines below `spec`. */
export function v3(spec: string): string {
  const lines = spec.split('\n').map((line) => `  ${line}`)
  return `apiVersion: scitex-agent-container/v3\nkind: Agent\nspec:\n${lines.join('\n')}\n`
}

/** A v2 file with the given lines below `spec`. */
export function v2(spec: string, name = 'worker'): string {
  const lines = spec.split('\n').map((line) => `  ${line}`)
  const head = `apiVersion: scitex-agent-container/v2\nkind: Agent\nmetadata:\n  name: ${name}\nspec:\n`
  return `${head}${lines.join('\n')}\n`
}
