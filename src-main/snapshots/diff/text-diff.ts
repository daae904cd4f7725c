import type { FileDiff } from '../../../src-preload/contract/index.ts'

/** Longer files are not shown: nobody reads them, and comparing lines grows with the square. */
export const TEXT_MAX = 1024 * 1024

/** Milliseconds after which a comparison of two long files is given up. */
const COMPARE_MS = 5000

/** One side of a file's comparison; null content for a side that has no such file. */
export interface FileSide {
  readonly name: string
  readonly content: Uint8Array | null
}

/** A unified diff of one file's two contents, or why there is none. Loads the library on first use. */
export async function textDiff(path: string, from: FileSide, to: FileSide): Promise<FileDiff> {
  const why = (reason: string): FileDiff => ({ path, text: null, reason })
  if (from.content === null && to.content === null) return why('Neither side has a file there.')
  const [before, after] = [decode(from.content), decode(to.content)]
  if (before.text === null) return why(before.reason)
  if (after.text === null) return why(after.reason)
  if (before.text === after.text) return why('Both sides have the same content.')
  const { createTwoFilesPatch } = await import('diff')
  const nameOf = (side: FileSide) => (side.content === null ? '/dev/null' : `${side.name}:${path}`)
  const text = createTwoFilesPatch(nameOf(from), nameOf(to), before.text, after.text, undefined, undefined, {
    context: 3,
    timeout: COMPARE_MS,
  })
  if (text === undefined) return why('The two contents differ too much to be compared line by line.')
  return { path, text: text.replace(/^=+\n/, ''), reason: null }
}

type Decoded = { readonly text: string } | { readonly text: null; readonly reason: string }

function decode(content: Uint8Array | null): Decoded {
  if (content === null) return { text: '' }
  if (content.length > TEXT_MAX) return { text: null, reason: 'The file is longer than 1 MB.' }
  const binary: Decoded = { text: null, reason: 'The file is binary.' }
  if (content.includes(0)) return binary
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) }
  } catch {
    return binary
  }
}
