/** One line of a unified diff as it is shown. */
export interface DiffLine {
  readonly key: number
  readonly kind: 'add' | 'remove' | 'same' | 'hunk' | 'note'
  readonly text: string
  /** Line numbers on either side; empty where the line is not. */
  readonly before: string
  readonly after: string
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/

/** Takes a unified diff apart and numbers its lines. The two lines of file names are left out. */
export function diffLines(text: string): readonly DiffLine[] {
  const lines: DiffLine[] = []
  let before = 0
  let after = 0
  let isInHunk = false
  const add = (kind: DiffLine['kind'], content: string, left = '', right = '') =>
    lines.push({ key: lines.length, kind, text: content, before: left, after: right })
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(line)
    if (!hunk && !isInHunk) continue
    if (hunk) {
      isInHunk = true
      before = Number(hunk[1])
      after = Number(hunk[2])
      add('hunk', line)
    } else if (line.startsWith('+')) add('add', line.slice(1), '', String(after++))
    else if (line.startsWith('-')) add('remove', line.slice(1), String(before++))
    else if (line.startsWith('\\')) add('note', line.slice(2))
    else add('same', line.slice(1), String(before++), String(after++))
  }
  return lines
}
