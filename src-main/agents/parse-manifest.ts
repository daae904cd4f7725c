import { dirname } from 'node:path'
import type { AgentDefinition, BottleLayer } from './definitions.ts'
import { type Located, readFrontmatter } from './frontmatter.ts'
import { type AgentOrigin, agentFromFields } from './parse-agent.ts'
import { bottleFromFields } from './parse-bottle.ts'
import { collectProblems, type Parsed, type Report } from './problems.ts'

export interface BottleOrigin {
  readonly name: string
  readonly file: string
  /** What `~` stands for in a mount or a build context. */
  readonly homeDir: string
}

/** Reads an agent file's text. Never throws: all problems come back at once. */
export function parseAgent(text: string, origin: AgentOrigin): Promise<Parsed<AgentDefinition>> {
  return parse(text, origin.file, (fields, body, report) => agentFromFields(fields, body, origin, report))
}

/** Reads a bottle file's text. Relative paths are taken from the file's folder; the body is for people. */
export function parseBottle(text: string, origin: BottleOrigin): Promise<Parsed<BottleLayer>> {
  const folder = dirname(origin.file)
  return parse(text, origin.file, (fields, _body, report) =>
    bottleFromFields(fields, { ...origin, folder }, report),
  )
}

async function parse<T>(
  text: string,
  file: string,
  read: (fields: Located, body: string, report: Report) => T,
): Promise<Parsed<T>> {
  const { report, problems } = collectProblems(file)
  const parts = await readFrontmatter(text, report)
  if (!parts) return { ok: false, problems }
  const value = read(parts.fields, parts.body, report)
  if (problems.length === 0) return { ok: true, value }
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line) }
}
