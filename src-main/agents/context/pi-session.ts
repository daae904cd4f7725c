import { troubleFact } from './trouble.ts'
import {
  compacted,
  countOf,
  type Fields,
  fields,
  foldRecords,
  items,
  nameOf,
  numberOf,
  textOf,
  toolInputText,
  type UsageFacts,
  whole,
} from './usage-facts.ts'

/** Reads records of a pi session. Its cost is the sum over all records that were read. Pure. */
export function readPiSession(lines: readonly string[], known: UsageFacts): UsageFacts {
  return foldRecords(lines, known, changeOf)
}

function changeOf(record: Fields, at: number | undefined, known: UsageFacts): UsageFacts | null {
  switch (record.type) {
    case 'session': {
      const id = nameOf(record.id)
      return id === undefined ? null : { sessionId: id }
    }
    case 'model_change': {
      const model = nameOf(record.modelId)
      return model === undefined ? null : { model }
    }
    case 'compaction':
      return compacted({ tokens: known.tokens ?? countOf(record.tokensBefore) ?? null }, at)
    case 'message':
      return messageFacts(fields(record.message), known)
    default:
      return null
  }
}

function messageFacts(message: Fields, known: UsageFacts): UsageFacts | null {
  if (message.role === 'toolResult') return { turn: 'tool' }
  if (message.role === 'user') {
    const words = contentText(message.content).trim()
    return words === '' ? null : { turn: 'prompt', userMessage: whole(words), tool: null, toolInput: null }
  }
  return message.role === 'assistant' ? assistantFacts(message, known) : null
}

function assistantFacts(message: Fields, known: UsageFacts): UsageFacts {
  const problem = textOf(message.errorMessage)
  if (message.stopReason === 'error' && problem !== undefined) {
    return { trouble: troubleFact(problem, undefined), turn: 'answer' }
  }
  const usage = fields(message.usage)
  const parts = [usage.input, usage.output, usage.cacheRead, usage.cacheWrite].map(
    (part) => countOf(part) ?? 0,
  )
  const tokens = countOf(usage.totalTokens) || parts.reduce((sum, part) => sum + part, 0)
  const cost = numberOf(fields(usage.cost).total)
  const tool = items(message.content)
    .map(fields)
    .findLast((block) => block.type === 'toolCall')
  const name = nameOf(tool?.name)
  const model = nameOf(message.model)
  return {
    trouble: null,
    turn: name === undefined ? 'answer' : 'tool',
    // An answer that was broken off has no usage.
    ...(tokens > 0 && message.stopReason !== 'aborted' ? { tokens } : {}),
    ...(cost === undefined ? {} : { costUsd: (known.costUsd ?? 0) + cost }),
    ...(model === undefined ? {} : { model }),
    ...(name === undefined ? {} : { tool: name, toolInput: toolInputText(name, tool?.arguments) }),
  }
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return items(content)
    .map((block) => textOf(fields(block).text) ?? '')
    .join('\n')
}
