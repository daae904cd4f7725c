const NEWLINE = 10

/**
 * Where the last `count` lines of a stream begin, in bytes from its start. An unfinished last line counts as one.
 * Keeps only as many numbers as lines are wanted, however long the stream is.
 */
export async function lastLinesOffset(source: AsyncIterable<Uint8Array>, count: number): Promise<number> {
  // Starts of the newest lines; one more than wanted, because the last may still be empty.
  const starts: number[] = [0]
  let head = 0
  let total = 0
  for await (const chunk of source) {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      starts.push(total + at + 1)
      if (starts.length - head > count + 1) head += 1
    }
    total += chunk.length
    if (head > 4096) {
      starts.splice(0, head)
      head = 0
    }
  }
  const kept = starts.slice(head)
  // A stream that ends with a newline has an empty line after it, which nobody means.
  if (kept.at(-1) === total) kept.pop()
  return count === 0 ? total : (kept.at(-count) ?? kept[0] ?? total)
}
