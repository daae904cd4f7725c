import type { Document, LineCounter } from 'yaml'
import type { Report } from './problems.ts'

/** Words that YAML 1.1 takes for booleans, in the three ways of writing that it knows. */
const OLD_BOOLEAN = /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/

/** A YAML value that knows its line. Only what JSON can hold: aliases and tags were refused on the way. */
export type Located =
  | { readonly kind: 'map'; readonly line: number; readonly entries: readonly Field[] }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly Located[] }
  | {
      readonly kind: 'scalar'
      readonly line: number
      readonly value: string | number | boolean | null
      /** As written, so that `1.10` stays `1.10`. */
      readonly text: string
    }

export interface Field {
  readonly key: string
  /** Line of the key. */
  readonly line: number
  readonly value: Located
}

export interface ManifestParts {
  readonly fields: Located
  /** What follows the frontmatter, trimmed. */
  readonly body: string
}

const FRONTMATTER_MAX = 65_536
const YAML_MAX = 262_144
const DEPTH_MAX = 24
const NODES_MAX = 10_000

/**
 * Splits a manifest into its YAML frontmatter and its body. Takes a byte order mark and CRLF.
 * Reports every problem and returns undefined when the frontmatter can't be used at all.
 */
export async function readFrontmatter(text: string, report: Report): Promise<ManifestParts | undefined> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines.every((line) => line.trim() === '')) {
    report(1, 'The file is empty.', 'A manifest begins with a line `---`, then keys, then a line `---`.')
    return undefined
  }
  if (lines[0]?.trimEnd() !== '---') {
    report(1, 'There is no frontmatter.', 'The first line must be `---`.')
    return undefined
  }
  const end = lines.findIndex((line, index) => index > 0 && /^(---|\.\.\.)\s*$/.test(line))
  if (end === -1) {
    report(1, 'The frontmatter does not end.', 'Close it with a line `---`.')
    return undefined
  }
  const yaml = lines.slice(1, end).join('\n')
  const body = lines
    .slice(end + 1)
    .join('\n')
    .trim()
  if (yaml.length > FRONTMATTER_MAX) {
    report(1, `The frontmatter is longer than ${FRONTMATTER_MAX / 1024} KiB.`)
    return undefined
  }
  const fields = await parseYaml(yaml, FRONTMATTER, report)
  return fields ? { fields, body } : undefined
}

/** What differs between the frontmatter of a manifest and a file that is YAML as a whole. */
interface YamlStyle {
  readonly what: string
  /** Lines of the file before the YAML begins. */
  readonly linesBefore: number
  /** Anchors, aliases and merge keys, as files written for other programs have them. */
  readonly takesAliases: boolean
}

const FRONTMATTER: YamlStyle = { what: 'The frontmatter', linesBefore: 1, takesAliases: false }
const WHOLE_FILE: YamlStyle = { what: 'The file', linesBefore: 0, takesAliases: true }

/** Reads a file that is one YAML document. Reports every problem; undefined when nothing of it can be used. */
export async function readYamlFile(text: string, report: Report): Promise<Located | undefined> {
  const plain = text.replace(/^\uFEFF/, '')
  if (plain.trim() === '') {
    report(1, 'The file is empty.')
    return undefined
  }
  return parseYaml(plain, WHOLE_FILE, report)
}

async function parseYaml(text: string, style: YamlStyle, report: Report): Promise<Located | undefined> {
  // Loaded when a manifest is read: most commands read none.
  const yaml = await import('yaml')
  const lineCounter = new yaml.LineCounter()
  if (text.length > YAML_MAX) {
    report(1, `${style.what} is longer than ${YAML_MAX / 1024} KiB.`)
    return undefined
  }
  let document: Document.Parsed
  try {
    document = yaml.parseDocument(text, { lineCounter, prettyErrors: false, schema: 'core' })
  } catch (error) {
    // The parser recurses, so deep nesting ends as a RangeError.
    const isTooDeep = error instanceof RangeError
    report(1, isTooDeep ? `${style.what} is nested too deeply.` : `${style.what} is not YAML.`)
    return undefined
  }
  let isClean = true
  for (const issue of [...document.errors, ...document.warnings]) {
    isClean = false
    report(
      lineCounter.linePos(issue.pos[0]).line + style.linesBefore,
      `The YAML is not valid: ${oneLine(issue.message)}`,
    )
  }
  return isClean ? locate(yaml, document, lineCounter, style, report) : undefined
}

function oneLine(text: string): string {
  const line = text.split('\n')[0] ?? ''
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** Turns the parser's nodes into located values; undefined after anything that was refused. */
function locate(
  yaml: typeof import('yaml'),
  document: Document.Parsed,
  lineCounter: LineCounter,
  style: YamlStyle,
  report: Report,
): Located | undefined {
  let nodes = 0
  let isClean = true
  const refuse = (line: number, message: string, hint?: string): Located => {
    // One refusal is enough: the rest of such a file says nothing more.
    if (isClean) report(line, message, hint)
    isClean = false
    return { kind: 'scalar', line, value: null, text: '' }
  }

  const visit = (node: unknown, parentLine: number, depth: number): Located => {
    const line = lineOf(node) ?? parentLine
    nodes += 1
    if (nodes > NODES_MAX) return refuse(line, `${style.what} holds too many values.`)
    if (depth > DEPTH_MAX) return refuse(line, `${style.what} is nested too deeply.`)
    if (node === null || node === undefined) return { kind: 'scalar', line, value: null, text: '' }
    if (yaml.isAlias(node)) {
      if (!style.takesAliases) return refuse(line, 'YAML aliases are not supported.', 'Write the value out.')
      const target = node.resolve(document)
      return target ? visit(target, line, depth + 1) : refuse(line, 'An alias names no anchor.')
    }
    if (!yaml.isNode(node)) return refuse(line, 'This YAML is not supported.')
    if (node.tag || (node.anchor && !style.takesAliases)) {
      const what = style.takesAliases ? 'tags' : 'tags and anchors'
      return refuse(line, `YAML ${what} are not supported.`, 'Write a plain value.')
    }
    if (yaml.isSeq(node)) {
      return { kind: 'list', line, items: node.items.map((item) => visit(item, line, depth + 1)) }
    }
    if (yaml.isMap(node)) {
      return {
        kind: 'map',
        line,
        entries: merged(
          node.items.map((pair) => {
            const key = visit(pair.key, line, depth + 1)
            if (key.kind !== 'scalar') refuse(key.line, 'A key must be a plain word.')
            const name = key.kind === 'scalar' ? key.text : ''
            return { key: name, line: key.line, value: visit(pair.value, key.line, depth + 1) }
          }),
          style,
          refuse,
        ),
      }
    }
    return yaml.isScalar(node) ? scalar(node, line) : refuse(line, 'This YAML is not supported.')
  }

  const lineOf = (node: unknown): number | undefined => {
    const start = yaml.isNode(node) ? node.range?.[0] : undefined
    // A frontmatter's opening `---` is line 1 of its file.
    return start === undefined ? undefined : lineCounter.linePos(start).line + style.linesBefore
  }

  const scalar = (node: { value: unknown; source?: string; type?: string }, line: number): Located => {
    const { value } = node
    if (style.takesAliases && node.type === 'PLAIN' && typeof value === 'string' && OLD_BOOLEAN.test(value)) {
      // The parser that such files were written for takes these words for booleans.
      return { kind: 'scalar', line, value: /^(yes|on)$/i.test(value), text: value }
    }
    if (typeof value === 'string') return { kind: 'scalar', line, value, text: value }
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { kind: 'scalar', line, value, text: node.source ?? String(value ?? '') }
    }
    return refuse(line, 'This YAML value is not supported.')
  }

  const root = visit(document.contents, style.linesBefore + 1, 0)
  return isClean ? root : undefined
}

/** The entries with those of `<<` below them: a key of the map itself wins, then the first that was merged in. */
function merged(
  entries: readonly Field[],
  style: YamlStyle,
  refuse: (line: number, message: string) => Located,
): readonly Field[] {
  if (!style.takesAliases || !entries.some((entry) => entry.key === '<<')) return entries
  const own = entries.filter((entry) => entry.key !== '<<')
  const all = new Map(own.map((entry) => [entry.key, entry]))
  for (const { line, value } of entries.filter((entry) => entry.key === '<<')) {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') refuse(line, '`<<` must name a map.')
      for (const entry of source.kind === 'map' ? source.entries : []) {
        if (!all.has(entry.key)) all.set(entry.key, entry)
      }
    }
  }
  return [...all.values()]
}
