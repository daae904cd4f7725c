import { redactText } from '../redact.ts'

const CLAUDE_MD_MAX = 20_000
const MCP_MAX = 10_000
const SECRET_KEY = /token|secret|key|password|passwd|credential|authorization/i
export const HIDDEN = '[secret]'

/** What CLAUDE.md says, cut and free of tokens. Pure. */
export function claudeMdText(text: string | null): string | null {
  return text === null ? null : redactText(text.slice(0, CLAUDE_MD_MAX), [])
}

/** `.mcp.json` with every value hidden whose name says that it is a secret; null for what is no JSON. Pure. */
export function mcpJsonText(text: string | null): string | null {
  if (text === null) return null
  try {
    const shown = JSON.stringify(hidden(JSON.parse(text), ''), null, 2)
    return redactText(shown.slice(0, MCP_MAX), [])
  } catch {
    return null
  }
}

/** A value without what its names call secret. Pure. */
export function withoutSecrets<T>(value: T): T {
  return hidden(value, '') as T
}

function hidden(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    const parts = value.map((part) => hidden(part, name))
    // `--token VALUE` among arguments.
    return parts.map((part, index) => {
      const before: unknown = value[index - 1]
      const isNamed = typeof before === 'string' && before.startsWith('-') && SECRET_KEY.test(before)
      return isNamed && typeof part === 'string' && !part.startsWith('-') ? HIDDEN : withoutValue(part)
    })
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, hidden(part, key)]))
  }
  return typeof value === 'string' && value !== '' && SECRET_KEY.test(name) ? HIDDEN : value
}

/** `--token=VALUE` and `TOKEN=VALUE`. */
function withoutValue(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const found = /^([\w-]+)=/.exec(value)
  return found && SECRET_KEY.test(found[1] ?? '') ? `${found[0]}${HIDDEN}` : value
}

/** Lines of the fenced `skills` blocks. Pure. */
export function skillsIn(text: string | null): readonly string[] {
  if (text === null) return []
  return [...text.matchAll(/^```skills[^\n]*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.replace(/^[-*]\s+/, '').trim())
      .filter((line) => line !== ''),
  )
}
