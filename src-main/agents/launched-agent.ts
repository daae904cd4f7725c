import { mkdir } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { readJsonObject, writeDurable } from '../state/durable-file.ts'
import type { StateRoot } from '../state/root.ts'
import type { ProviderName, ResolvedAgent } from './definitions.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from './lifecycle.ts'
import { withoutSecrets } from './status/workspace-facts.ts'

/** What a run was launched as: whoever looks after it, or ends it, goes by this and not by a definition that was edited since. */
export interface LaunchedAgent {
  readonly runId: string
  /** The agent's name. */
  readonly agent: string
  readonly provider: ProviderName
  /** The definition's file, absolute. */
  readonly file: string
  readonly model: string | null
  /** Without CLAUDE.md and MCP servers, which only a launch needs and which may hold tokens, and without secrets of parts of later versions. */
  readonly lifecycle: Lifecycle
  /** Those of the bottle's plain variables that tell how large the model's window is. */
  readonly env: Readonly<Record<string, string>>
  /** Its variables that hold `${NAME}`, as they are written: never with the values, which are secrets. */
  readonly envTemplates: Readonly<Record<string, string>>
}

const WINDOW_NAMES: readonly string[] = ['ICEBOX_CONTEXT_WINDOW', 'ANTHROPIC_BETAS']

/** Runs that are remembered: a launch that fails must not take the former run's facts along. */
const KEPT = 2

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'agent', 'launched.json')
}

/** True for a definition that says nothing of its agent's life, for which nothing is kept. Pure. */
export function isPlain(lifecycle: Lifecycle): boolean {
  return isDeepStrictEqual(lifecycle, DEFAULT_LIFECYCLE)
}

/** The part of a definition that is kept beside its run. Pure. */
export function toLaunched({ agent, bottle }: ResolvedAgent, runId: string): LaunchedAgent {
  const { lifecycle } = agent
  return {
    runId,
    agent: agent.name,
    provider: agent.provider,
    file: agent.file,
    model: agent.model,
    lifecycle: {
      ...lifecycle,
      workspace: { ...lifecycle.workspace, claudeMd: null, mcpServers: {} },
      later: withoutSecrets(lifecycle.later),
    },
    env: Object.fromEntries(Object.entries(bottle.env).filter(([name]) => WINDOW_NAMES.includes(name))),
    envTemplates: agent.envTemplates ?? {},
  }
}

/** Keeps what a run is launched as. Before the launch, so that no crash leaves a run without it. */
export async function writeLaunched(
  root: StateRoot,
  slug: string,
  resolved: ResolvedAgent | null,
  runId: string,
): Promise<void> {
  const known = await readAll(root, slug)
  const others = known.filter((each) => each.runId !== runId)
  const isKept =
    resolved !== null && (!isPlain(resolved.agent.lifecycle) || resolved.agent.envTemplates !== undefined)
  // A restart by a definition that became plain since forgets what the run was before.
  if (!isKept && others.length === known.length) return
  const runs = (isKept ? [...others, toLaunched(resolved, runId)] : others).slice(-KEPT)
  await mkdir(root.path('state', slug, 'agent'), { recursive: true, mode: 0o700 })
  await writeDurable(file(root, slug), `${JSON.stringify({ version: 1, runs }, null, 2)}\n`)
}

/** What a run was launched as; null for a plain one, and when the file can't be read. */
export async function readLaunched(
  root: StateRoot,
  slug: string,
  runId: string,
): Promise<LaunchedAgent | null> {
  return (await readAll(root, slug)).find((known) => known.runId === runId) ?? null
}

/** The variables with `${NAME}` of all runs that are remembered; those of the newest count where names are the same. */
export async function readEnvTemplates(
  root: StateRoot,
  slug: string,
): Promise<Readonly<Record<string, string>>> {
  const known = await readAll(root, slug)
  return Object.fromEntries(known.flatMap(({ envTemplates }) => Object.entries(envTemplates)))
}

async function readAll(root: StateRoot, slug: string): Promise<readonly LaunchedAgent[]> {
  const read = await readJsonObject(file(root, slug))
  if (read.kind !== 'ok' || !Array.isArray(read.value.runs)) return []
  return read.value.runs.flatMap((value: unknown) => {
    const parsed = parse(value)
    return parsed ? [parsed] : []
  })
}

/** Parts that an older version did not know get their defaults. */
function parse(value: unknown): LaunchedAgent | null {
  if (typeof value !== 'object' || value === null) return null
  const known = value as Partial<LaunchedAgent>
  if (typeof known.runId !== 'string' || typeof known.lifecycle !== 'object' || known.lifecycle === null)
    return null
  return {
    runId: known.runId,
    agent: known.agent ?? '',
    provider: known.provider ?? 'custom',
    file: known.file ?? '',
    model: known.model ?? null,
    lifecycle: withDefaults(known.lifecycle),
    env: known.env ?? {},
    envTemplates: known.envTemplates ?? {},
  }
}

function withDefaults(lifecycle: Lifecycle): Lifecycle {
  const parts = Object.entries(DEFAULT_LIFECYCLE).map(([key, fallback]) => {
    const given: unknown = lifecycle[key as keyof Lifecycle]
    if (given === undefined) return [key, fallback]
    const isMap = typeof fallback === 'object' && fallback !== null && !Array.isArray(fallback)
    return [key, isMap && typeof given === 'object' && given !== null ? { ...fallback, ...given } : given]
  })
  return Object.fromEntries(parts) as Lifecycle
}
