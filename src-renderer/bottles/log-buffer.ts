/** Lines and characters that are kept; what is older is dropped and counted. */
export const MOST_LINES = 20_000
const MOST_CHARACTERS = 8_000_000
/** A longer line is cut, so that one endless line can't fill the memory. */
const LONGEST_LINE = 4000

/** The newest part of an output, in memory that does not grow. */
export interface LogBuffer {
  /** Adds bytes as they come; characters and lines may be split anywhere. */
  add(chunk: Uint8Array): void
  /** The line at a place, counted from the oldest one kept. */
  line(index: number): string
  /** Lines kept now, the unfinished last one included. */
  count(): number
  /** Lines that were dropped. */
  dropped(): number
  /** Places of the lines in which a text occurs, case ignored, oldest first. */
  find(text: string): readonly number[]
}

/** Makes an empty buffer. */
export function createLogBuffer(mostLines = MOST_LINES): LogBuffer {
  const decoder = new TextDecoder()
  let lines: string[] = []
  let head = 0
  let partial = ''
  let characters = 0
  let droppedCount = 0

  const push = (line: string) => {
    const kept = lastOverwrite(line)
    lines.push(kept)
    characters += kept.length
    while (lines.length - head > mostLines || characters > MOST_CHARACTERS) {
      characters -= lines[head]?.length ?? 0
      lines[head] = ''
      head += 1
      droppedCount += 1
    }
    // Moving the rest is paid once per many lines, not on each.
    if (head > mostLines) {
      lines = lines.slice(head)
      head = 0
    }
  }

  return {
    add(chunk) {
      const parts = decoder.decode(chunk, { stream: true }).split('\n')
      parts[0] = partial + (parts[0] ?? '')
      partial = (parts.pop() ?? '').slice(-LONGEST_LINE)
      for (const part of parts) push(part)
    },
    line: (index) => lines[head + index] ?? (head + index === lines.length ? lastOverwrite(partial) : ''),
    count: () => lines.length - head + (partial ? 1 : 0),
    dropped: () => droppedCount,
    find(text) {
      const wanted = text.toLowerCase()
      const found: number[] = []
      if (!wanted) return found
      const total = lines.length - head + (partial ? 1 : 0)
      for (let index = 0; index < total; index += 1) {
        if (this.line(index).toLowerCase().includes(wanted)) found.push(index)
      }
      return found
    },
  }
}

/** What a terminal would show of a line that was written over with carriage returns. */
function lastOverwrite(line: string): string {
  const whole = line.endsWith('\r') ? line.slice(0, -1) : line
  return whole.slice(whole.lastIndexOf('\r') + 1).slice(0, LONGEST_LINE)
}
