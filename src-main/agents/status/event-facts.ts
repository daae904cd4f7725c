import { short } from '../context/usage-facts.ts'
import type { AgentEvent } from '../observe/types.ts'

const RECENT_TOOLS = 50
const RECENT_PROMPTS = 5
const RECENT_CALLS = 20

/** What the agent's own hooks told, by the status fields' names, newest last. Source: scitex §11.2. Pure. */
export function eventFacts(events: readonly AgentEvent[]): Readonly<Record<string, unknown>> {
  const tools = events.filter((event) => event.kind === 'tool' && event.tool !== null)
  const counts: Record<string, number> = {}
  for (const { tool } of tools) if (tool !== null) counts[tool] = (counts[tool] ?? 0) + 1
  const last = tools.at(-1)
  const lastMcp = tools.findLast(({ tool }) => tool?.startsWith('mcp__'))
  return {
    recent_tools: tools.slice(-RECENT_TOOLS).map(toEntry),
    recent_prompts: events
      .filter(({ kind, text }) => kind === 'prompt' && text !== null)
      .slice(-RECENT_PROMPTS)
      .map(({ at, text }) => ({ ts: isoTime(at), prompt: preview(text, 200) })),
    agent_calls: tools
      .filter(({ tool }) => tool === 'Task' || tool === 'Agent')
      .slice(-RECENT_CALLS)
      .map(toEntry),
    background_tasks: tools
      .filter(({ inBackground }) => inBackground)
      .slice(-RECENT_CALLS)
      .map(toEntry),
    tool_counts: counts,
    last_tool_at: isoTime(last?.at ?? null),
    last_tool_name: last?.tool ?? null,
    last_mcp_tool_at: isoTime(lastMcp?.at ?? null),
    last_mcp_tool_name: lastMcp?.tool ?? null,
  }
}

function toEntry({ at, tool, text }: AgentEvent) {
  return { ts: isoTime(at), tool, input_preview: preview(text, 120) }
}

function preview(text: string | null, most: number): string | null {
  return text === null ? null : short(text, most)
}

function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
