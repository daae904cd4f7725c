import type { AgentAccess, AgentPath } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import type { TranscriptReader, UsageFacts } from './usage-facts.ts'

/** How far a transcript was read. */
export interface Followed {
  readonly path: string
  /** Bytes of the file when it was read. */
  readonly bytes: number
  /** The end of what was read, up to the last whole line: where the next look goes on. */
  readonly mark: string
  /** True when every record since the first was read, so that sums are right. */
  readonly isWhole: boolean
  readonly facts: UsageFacts
}

/** Bytes from the end that are read at first, more and more until everything wanted is found; read while others wait. */
const TAILS = [256 * 1024, 2 * 1024 * 1024, 8 * 1024 * 1024]
const MOST_BYTES = Math.max(...TAILS)
/** Bytes that a file may grow while it is looked at, and the length of a mark. */
const SLACK = 64 * 1024
const MARK = 512

/**
 * Reads what a transcript grew by since the last look; at first its end, as far back as the last answer, the last tool
 * and the last prompt are, within a bound. What grew by more than that is read from its end again.
 * @param bytes the file's size as listed
 */
export async function followTranscript(
  access: AgentAccess,
  ref: RuntimeRef,
  file: { readonly path: string; readonly bytes: number },
  known: Followed | null,
  reader: TranscriptReader,
  signal: AbortSignal,
): Promise<Followed | null> {
  const place: AgentPath = { base: 'home', path: file.path }
  const isKnown = known !== null && known.path === file.path && known.bytes <= file.bytes
  const hasMark = isKnown && known.mark !== ''
  if (hasMark && known.bytes === file.bytes) return known
  const since = isKnown ? file.bytes - known.bytes + MARK + SLACK : 0
  if (hasMark && since <= MOST_BYTES) {
    const grown = await readTail(access, ref, place, since, signal)
    if (grown === null) return known
    const at = grown.text.indexOf(known.mark)
    if (at >= 0) {
      const fresh = goOn(grown.text.slice(at + known.mark.length), known, reader)
      return { ...fresh, path: file.path, bytes: file.bytes }
    }
  }
  // No line ended in as much as is ever read: only what is new can tell more.
  const isEndless = isKnown && !hasMark && known.bytes > MOST_BYTES
  return fromEnd(access, ref, place, file, isEndless ? TAILS.slice(0, 1) : TAILS, reader, signal)
}

async function fromEnd(
  access: AgentAccess,
  ref: RuntimeRef,
  place: AgentPath,
  file: { readonly path: string; readonly bytes: number },
  tails: readonly number[],
  reader: TranscriptReader,
  signal: AbortSignal,
): Promise<Followed | null> {
  for (const tail of tails) {
    const read = await readTail(access, ref, place, tail, signal)
    if (read === null) return null
    const isWhole = read.bytes < tail
    // What begins in the middle of a line is no record.
    const text = isWhole ? read.text : read.text.slice(read.text.indexOf('\n') + 1)
    const found = goOn(
      read.text.includes('\n') || isWhole ? text : '',
      { facts: {}, isWhole, mark: '' },
      reader,
    )
    if (isWhole || isComplete(found.facts) || tail === tails.at(-1)) {
      return { ...found, path: file.path, bytes: file.bytes }
    }
  }
  return null
}

async function readTail(
  access: AgentAccess,
  ref: RuntimeRef,
  place: AgentPath,
  bytes: number,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly bytes: number } | null> {
  const content = await access.read(ref, place, bytes, signal)
  return content && { text: Buffer.from(content).toString('utf8'), bytes: content.length }
}

/** Reads the whole lines of a text on top of what is known; the rest waits for the next look. */
function goOn(
  text: string,
  known: Pick<Followed, 'facts' | 'isWhole' | 'mark'>,
  reader: TranscriptReader,
): Pick<Followed, 'facts' | 'isWhole' | 'mark'> {
  const end = text.lastIndexOf('\n') + 1
  if (end === 0) return known
  const lines = text.slice(0, end).split('\n')
  const { costUsd, ...facts } = reader(lines, known.facts)
  return {
    facts: known.isWhole && costUsd !== undefined ? { ...facts, costUsd } : facts,
    isWhole: known.isWhole,
    mark: (known.mark + text.slice(0, end)).slice(-MARK),
  }
}

function isComplete({ tokens, userMessage, tool }: UsageFacts): boolean {
  return tokens !== undefined && userMessage !== undefined && typeof tool === 'string'
}
