/**
 * How well a text answers a query: null when some letter is missing, else higher is better. Every word of the
 * query must match in order of its letters; whole words, starts of words and runs of letters weigh more.
 */
export function fuzzyScore(query: string, text: string): number | null {
  const hay = text.toLowerCase()
  let total = 0
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const score = wordScore(word, hay)
    if (score === null) return null
    total += score
  }
  return total - hay.length / 100
}

function wordScore(word: string, hay: string): number | null {
  const whole = hay.indexOf(word)
  if (whole >= 0) return 2 + word.length * 3 + (isStart(hay, whole) ? 20 : 0) + (whole === 0 ? 6 : 0)
  let score = 0
  let from = 0
  let last = -2
  for (const letter of word) {
    const at = hay.indexOf(letter, from)
    if (at < 0) return null
    score += at === last + 1 ? 3 : isStart(hay, at) ? 6 : -0.5
    last = at
    from = at + 1
  }
  // Letters strewn over a long text are chance, not an answer.
  return score > word.length * 0.8 ? score : null
}

function isStart(hay: string, at: number): boolean {
  return at === 0 || /[\s\-_/.:@]/.test(hay.charAt(at - 1))
}
