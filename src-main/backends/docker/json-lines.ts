import { bottleError } from '../../system/bottle-error.ts'

/** Splits a stream into the JSON values of its lines, as the engine's events and progress come. */
export async function* jsonLines(stream: AsyncIterable<unknown>): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as Record<string, unknown>
  }
  if (rest.trim()) yield JSON.parse(rest) as Record<string, unknown>
}

/**
 * Reads a progress stream to its end. The engine tells failures inside it, with status 200.
 * @throws BottleError `engine-failed` (or `disk-full`) with the engine's words as detail
 */
export async function readProgress(
  stream: AsyncIterable<unknown>,
  what: string,
  onLine: (line: Record<string, unknown>) => void,
): Promise<void> {
  for await (const line of jsonLines(stream)) {
    if (typeof line.error === 'string') {
      const code = /no space left on device/i.test(line.error) ? 'disk-full' : 'engine-failed'
      throw bottleError(code, `Docker could not ${what}.`, { detail: line.error.slice(-2000) })
    }
    onLine(line)
  }
}
