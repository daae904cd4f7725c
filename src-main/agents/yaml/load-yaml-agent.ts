import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AgentDefinition, Json } from '../definitions.ts'
import { readYamlFile } from '../frontmatter.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { expandHome } from '../parse-mounts.ts'
import { type AgentMetadata, readMcpServers } from '../parse-workspace.ts'
import { collectProblems, type Parsed, type Report } from '../problems.ts'
import { readSibling } from '../project-files.ts'
import type { FileText } from '../read-plain-text.ts'
import { agentFromYaml } from './parse-yaml-agent.ts'
import type { YamlOrigin } from './read-head.ts'
import { readHost } from './read-host.ts'

/** What loading needs of the machine beside the file. */
export type YamlPlace = Omit<YamlOrigin, 'host'>

/** Where `venv: auto` looks, in this order. */
const AUTO_VENVS = ['~/.venv-3.11', '~/.venv']

/** Reads the text of an agent YAML file with what lies beside it. Never throws: all problems come back at once. */
export async function parseYamlAgent(text: string, place: YamlPlace): Promise<Parsed<AgentDefinition>> {
  const { report, problems } = collectProblems(place.file)
  const root = await readYamlFile(text, report)
  if (!root) return { ok: false, problems }
  const host = await readHost(place.homeDir, place.env)
  const agent = agentFromYaml(root, { ...place, host }, report)
  const more = problems.length === 0 ? await withSiblings(agent, place) : null
  if (more?.ok) return { ok: true, value: more.value }
  const all = [...problems, ...(more?.problems ?? [])]
  return { ok: false, problems: all.sort((a, b) => a.line - b.line) }
}

/** Takes in `src_CLAUDE.md`, `src_mcp.json` and `src_env` beside the file, and what only a look at the disk tells. */
async function withSiblings(agent: AgentDefinition, place: YamlPlace): Promise<Parsed<AgentDefinition>> {
  const folder = dirname(place.file)
  const isHost = agent.ownBottle?.backend === 'host'
  const metadata = { name: agent.name, labels: agent.lifecycle.labels }
  const mcpFile = join(folder, 'src_mcp.json')
  const { read: mcpText, notices: mcpNotices } = await readSibling(mcpFile, place)
  const mcp = await readMcpFile(mcpFile, mcpText, metadata)
  if (!mcp.ok) return mcp
  const { read: claudeMd, notices } = await readSibling(join(folder, 'src_CLAUDE.md'), place)
  const { lifecycle } = agent
  const servers = { ...mcp.value, ...lifecycle.workspace.mcpServers }
  const dotEnv = agent.copyFrom === undefined ? [] : [join(agent.copyFrom, '.env')]
  const besides = await existing([...dotEnv, join(folder, 'src_env')])
  const venv = await findVenv(lifecycle.pythonVenv, isHost, place.homeDir)
  const filled: Lifecycle = {
    ...lifecycle,
    workspace: {
      ...lifecycle.workspace,
      claudeMd: claudeMd.ok ? claudeMd.text : null,
      mcpServers: isHost ? withHome(servers, place.homeDir) : servers,
    },
    // What stands in the definition itself is read last, so that it wins.
    envFiles: [...besides, ...lifecycle.envFiles],
    pythonVenv: venv.candidates,
  }
  const told = [...(agent.notices ?? []), ...mcpNotices, ...notices, ...venv.notices]
  return { ok: true, value: { ...agent, lifecycle: filled, notices: told } }
}

async function readMcpFile(
  file: string,
  read: FileText,
  metadata: AgentMetadata,
): Promise<Parsed<Readonly<Record<string, Json>>>> {
  if (!read.ok && read.isMissing) return { ok: true, value: {} }
  const { report, problems } = collectProblems(file)
  if (!read.ok) report(1, read.reason)
  // JSON is YAML, and so its errors have lines as well.
  const root = read.ok ? await readYamlFile(read.text, report) : undefined
  const servers = root ? serversOf(root, metadata, report) : {}
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: servers }
}

function serversOf(
  root: NonNullable<Awaited<ReturnType<typeof readYamlFile>>>,
  metadata: AgentMetadata,
  report: Report,
): Readonly<Record<string, Json>> {
  const field = root.kind === 'map' ? root.entries.find(({ key }) => key === 'mcpServers') : undefined
  if (!field) {
    report(root.line, 'The file has no `mcpServers`.')
    return {}
  }
  return readMcpServers(field, metadata, report)
}

/** `~` at the front of an argument, which no shell will expand. Pure. */
function withHome(servers: Readonly<Record<string, Json>>, homeDir: string): Readonly<Record<string, Json>> {
  const expand = (value: Json): Json => (typeof value === 'string' ? expandHome(value, homeDir) : value)
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => {
      if (typeof server !== 'object' || server === null || !('args' in server)) return [name, server]
      const { args } = server
      return [name, { ...server, args: Array.isArray(args) ? args.map(expand) : (args ?? null) }]
    }),
  )
}

async function findVenv(
  given: readonly string[],
  isHost: boolean,
  homeDir: string,
): Promise<{ readonly candidates: readonly string[]; readonly notices: readonly string[] }> {
  const isAuto = given.length === 1 && given[0] === 'auto'
  if (!isHost) {
    const notice = '`venv: auto` looks for nothing in a container: name a folder of the image.'
    return isAuto ? { candidates: [], notices: [notice] } : { candidates: given, notices: [] }
  }
  const wanted = (isAuto ? AUTO_VENVS : given).map((path) => expandHome(path, homeDir))
  if (!isAuto) return { candidates: wanted, notices: [] }
  const found = await existing(wanted.map((path) => join(path, 'bin', 'activate')))
  const first = wanted.find((path) => found.includes(join(path, 'bin', 'activate')))
  return { candidates: first === undefined ? [] : [first], notices: [] }
}

/** Those of the paths that are plain files. */
async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => ((await stat(path).catch(() => null))?.isFile() ? [path] : [])),
  )
  return found.flat()
}
