import { importsOf, withoutComments } from './imports.ts'
import type { Sources } from './sources.ts'

/** Verbs whose answer is a table for people unless JSON is asked for. */
const TABLES: ReadonlySet<string> = new Set(['list', 'ls', 'status', 'stats', 'df'])
const LITERAL = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g

/** Calls of an engine's program whose answer would be a table for people, and text that is cut up at its columns. */
export function humanTables(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const code = withoutComments(text)
    const lists = [...code.matchAll(/\[([^[\]]*)\]/g)]
      .map(([, inside = '']) => (inside.match(LITERAL) ?? []).map((word) => word.slice(1, -1)))
      .filter((words) => words.slice(0, 2).some((word) => TABLES.has(word)) && !words.includes('-c'))
      .filter((words) => !words.includes('--json') && !/--format,json/.test(words.join(',')))
      .map((words) => `${path} asks for a table: ${words.join(' ')}`)
    const cuts = /\bstd(?:out|err)\b[^\n;]{0,60}\.split\(\/[^/\n]*\\s/.test(code)
    return [...lists, ...(cuts ? [`${path} cuts an answer up at its columns`] : [])]
  })
}

/** Scripts for a shell that hold anything but constant text. */
export function shellStrings(sources: Sources): string[] {
  const codes = new Map([...sources].map(([path, text]) => [path, withoutComments(text)]))
  return [...codes].flatMap(([path, code]) =>
    [...code.matchAll(/['"]-[a-z]*c['"]\s*,\s*([^,\]]+)/g)]
      .map((found) => ({ script: (found[1] ?? '').trim(), before: code.slice(0, found.index) }))
      .filter(({ script, before }) => !isConstant(script, before, [...codes.values()]))
      .map(({ script }) => `${path} builds a script from data: ${script.slice(0, 60)}`),
  )
}

/** By the nearest definition above its use, else by those of other files. */
function isConstant(script: string, before: string, all: readonly string[]): boolean {
  if (!/^\w+$/.test(script)) return isPlain(`${script}\n`)
  const near = valuesOf(script, before).at(-1)
  const values = near === undefined ? all.flatMap((code) => valuesOf(script, code)) : [near]
  // As a parameter it has no value here, so nobody can tell what it holds.
  return values.length > 0 && values.every(isPlain)
}

function valuesOf(name: string, code: string): string[] {
  return [...code.matchAll(new RegExp(`\\bconst ${name}\\b[^=\\n]*=`, 'g'))].map((found) =>
    code.slice(found.index + found[0].length),
  )
}

/** Strings, templates of other constants, constants by their name, and how they are put together. */
const PLAIN =
  /\s+|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\[\s\S]|\$(?!\{)|\$\{[A-Z][A-Z0-9_]*\})*`|[+,()[\]]|\.join\b|String\.raw\b|[A-Z][A-Z0-9_]+\b/y

/** True when the expression at the beginning of the text holds nothing else, up to the end of its statement. */
function isPlain(text: string): boolean {
  PLAIN.lastIndex = 0
  let end = 0
  while (PLAIN.test(text)) end = PLAIN.lastIndex
  const read = text.slice(0, end)
  return read.trim() !== '' && !/\+\s*$/.test(read) && (end === text.length || /\n\s*$/.test(read))
}

/** Files that start programs in another way than by the bounded helpers. */
export function ownChildren(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) =>
    importsOf(text)
      .map(({ specifier }) => specifier)
      .filter((name) => /^(?:node:)?child_process$|^execa$/.test(name))
      .map((name) => `${path} starts programs by ${name}`),
  )
}

/** Helpers that start a program and let a caller leave the time limit out. */
export function unboundedHelpers(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const options = /interface \w*(?:Command|Stream)\w*Options \{[\s\S]*?\n\}/.exec(text)?.[0]
    return options !== undefined && /readonly timeout: number/.test(options)
      ? []
      : [`${path} has no time limit`]
  })
}
