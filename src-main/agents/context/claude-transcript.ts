import { troubleFact } from './trouble.ts'
import {
  compacted,
  countOf,
  type Fields,
  fields,
  foldRecords,
  items,
  nameOf,
  textOf,
  timeOf,
  toolInputText,
  type UsageFacts,
  whole,
} from './usage-facts.ts'

/** Reads records of a claude transcript. Those of subagents are about other contexts and are left out. Pure. */
export function readClaudeTranscript(lines: readonly string[], known: UsageFacts): UsageFacts {
  return foldRecords(lines, known, (record, _at, facts) => {
    const change = record.isSidechain === true ? null : changeOf(record, facts)
    const sessionId = nameOf(record.sessionId)
    return change && sessionId !== undefined ? { ...change, sessionId } : change
  })
}

function changeOf(record: Fields, known: UsageFacts): UsageFacts | null {
  if (record.type === 'assistant') return assistantFacts(record)
  if (record.type === 'user') return userFacts(record)
  if (record.type === 'system' && record.subtype === 'compact_boundary') {
    const { preTokens, postTokens } = fields(record.compactMetadata)
    const after = compacted({ tokens: known.tokens ?? countOf(preTokens) ?? null }, timeOf(record.timestamp))
    const told = countOf(postTokens)
    return told === undefined ? after : { ...after, tokens: told }
  }
  return null
}

function assistantFacts(record: Fields): UsageFacts {
  const message = fields(record.message)
  const blocks = items(message.content).map(fields)
  if (record.isApiErrorMessage === true) {
    const text = blocks.map((block) => textOf(block.text) ?? '').join(' ')
    return { trouble: troubleFact(text, textOf(record.error)), turn: 'answer' }
  }
  const model = nameOf(message.model)
  // Texts that the program made up itself have no model and no usage.
  if (model === undefined || model === '<synthetic>') return { turn: 'answer' }
  const usage = fields(message.usage)
  const parts = [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens]
  const isTold = countOf(usage.input_tokens) !== undefined
  const tool = blocks.findLast((block) => block.type === 'tool_use')
  const name = nameOf(tool?.name)
  return {
    model,
    trouble: null,
    turn: name === undefined ? 'answer' : 'tool',
    ...(isTold ? { tokens: parts.reduce<number>((sum, part) => sum + (countOf(part) ?? 0), 0) } : {}),
    ...(name === undefined ? {} : { tool: name, toolInput: toolInputText(name, tool?.input) }),
  }
}

function userFacts(record: Fields): UsageFacts | null {
  if (record.isMeta === true || record.isCompactSummary === true) return null
  const { content } = fields(record.message)
  if (items(content).some((block) => fields(block).type === 'tool_result')) return { turn: 'tool' }
  const text =
    typeof content === 'string'
      ? content
      : items(content)
          .map((block) => textOf(fields(block).text) ?? '')
          .join('\n')
  const words = text.trim()
  if (words.startsWith('[Request interrupted')) return { turn: 'answer' }
  // Commands of the program and what they printed.
  if (words === '' || /^<(?:command|local-command|bash)-/.test(words)) return null
  return { turn: 'prompt', userMessage: whole(words), tool: null, toolInput: null }
}
