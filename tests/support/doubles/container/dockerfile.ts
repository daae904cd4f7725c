import { ContainerError } from './errors.ts'

export interface Instruction {
  readonly name: string
  /** `--from=…` and the like. */
  readonly flags: Readonly<Record<string, string>>
  /** What follows, as it is written. */
  readonly text: string
  readonly line: number
}

const fail = (line: number, message: string) =>
  new ContainerError('invalidArgument', `dockerfile parse error on line ${line}: ${message}`)

/** Reads a Dockerfile: comments, continued lines, instructions with their flags. */
export function parseDockerfile(source: string): readonly Instruction[] {
  const found: Instruction[] = []
  const lines = source.replaceAll('\r\n', '\n').split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const first = at + 1
    let text = lines[at] ?? ''
    if (/^\s*(#|$)/.test(text)) continue
    while (/\\\s*$/.test(text) && at + 1 < lines.length) {
      at += 1
      if (/^\s*(#|$)/.test(lines[at] ?? '')) continue
      text = text.replace(/\\\s*$/, '') + (lines[at] ?? '')
    }
    const match = /^\s*([A-Za-z]+)(?:\s+([\s\S]*?))?\s*$/.exec(text)
    if (!match) throw fail(first, `unknown instruction: ${text.trim()}`)
    const flags: Record<string, string> = {}
    let rest = match[2] ?? ''
    for (
      let flag = /^--([a-z]+)(?:=(\S*))?\s+/.exec(rest);
      flag;
      flag = /^--([a-z]+)(?:=(\S*))?\s+/.exec(rest)
    ) {
      flags[flag[1] ?? ''] = flag[2] ?? 'true'
      rest = rest.slice(flag[0].length)
    }
    found.push({ name: (match[1] ?? '').toUpperCase(), flags, text: rest, line: first })
  }
  return found
}

/** Splits into words; quotes hold blanks together and stay for `expand`. */
export function splitWords(text: string, line: number): readonly string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (letter === '\\' && quote !== "'") {
      word += letter + (text[at + 1] ?? '')
      at += 1
    } else if (quote !== '') {
      word += letter
      if (letter === quote) quote = ''
    } else if (/\s/.test(letter)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      if (letter === '"' || letter === "'") quote = letter
      word += letter
    }
  }
  if (quote !== '') throw fail(line, 'unexpected end of statement while looking for matching quote')
  if (word !== '') words.push(word)
  return words
}

/** Removes quotes and escapes and puts variables in. */
export function expand(word: string, variables: ReadonlyMap<string, string>): string {
  let result = ''
  let isDouble = false
  for (let at = 0; at < word.length; at += 1) {
    const letter = word[at] ?? ''
    const next = word[at + 1] ?? ''
    if (letter === "'" && !isDouble) {
      const end = word.indexOf("'", at + 1)
      result += word.slice(at + 1, end)
      at = end
    } else if (letter === '"') isDouble = !isDouble
    else if (letter === '\\' && next !== '') {
      result += isDouble && !'"$\\'.includes(next) ? letter + next : next
      at += 1
    } else if (letter === '$') {
      const match = /^\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/.exec(word.slice(at))
      if (!match) {
        result += letter
        continue
      }
      const value = variables.get(match[1] ?? match[2] ?? '') ?? ''
      const other = match[4] ?? ''
      result += match[3] === '-' ? value || other : match[3] === '+' ? (value === '' ? '' : other) : value
      at += match[0].length - 1
    } else result += letter
  }
  return result
}

/** `K=V K2="V 2"`, or the old `K rest of the line`. */
export function parsePairs(
  instruction: Instruction,
  variables: ReadonlyMap<string, string>,
): readonly (readonly [string, string])[] {
  const words = splitWords(instruction.text, instruction.line)
  const [first = ''] = words
  if (!first.includes('=')) {
    const rest = instruction.text.slice(first.length).trim()
    if (rest === '' && instruction.name !== 'ARG')
      throw fail(instruction.line, `${instruction.name} must have two arguments`)
    return [[expand(first, variables), expand(rest, variables)]]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0)
      throw fail(
        instruction.line,
        `Syntax error - can't find = in "${word}". Must be of the form: name=value`,
      )
    return [expand(word.slice(0, equals), variables), expand(word.slice(equals + 1), variables)] as const
  })
}

/** A command: a JSON list as it is, anything else as a line for the shell. */
export function parseCommand(text: string): readonly string[] {
  if (text.trimStart().startsWith('[')) {
    try {
      const list = JSON.parse(text) as unknown
      if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
    } catch {
      // Not JSON: a line for the shell, as the tool takes it.
    }
  }
  return ['/bin/sh', '-c', text]
}
