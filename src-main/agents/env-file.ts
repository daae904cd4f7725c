import { open } from 'node:fs/promises'
import { bottleError } from '../system/bottle-error.ts'
import { isEnvName } from './names.ts'

/** The largest file of variables. */
const FILE_MAX = 1_000_000
/** Bytes of one value: what Linux passes to a program, with room for the rest. */
const VALUE_MAX = 100_000

export interface EnvFileProblem {
  readonly line: number
  readonly message: string
}

/**
 * Reads `NAME=value` lines as a shell's `set -a; . file` would for plain values: comments, `export `, single quotes
 * as they are, double quotes with their escapes, `~/` at the start of an unquoted value. Nothing is expanded or run.
 * Problems name lines and never values. Pure.
 */
export function parseEnvFile(
  text: string,
  home: string,
): { readonly values: Readonly<Record<string, string>>; readonly problems: readonly EnvFileProblem[] } {
  const values = new Map<string, string>()
  const problems: EnvFileProblem[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const start = at
    const line = (lines[at] ?? '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const match = /^(?:export\s+)?([^=\s]+)=(.*)$/s.exec(line)
    const name = match?.[1] ?? ''
    if (!match || !isEnvName(name)) {
      problems.push({ line: start + 1, message: 'is not NAME=value' })
      continue
    }
    let rest = match[2] ?? ''
    const quote = /^["']/.exec(rest)?.[0]
    // A quoted value may go on over several lines.
    while (quote !== undefined && closing(rest, quote) === -1 && at + 1 < lines.length) {
      at++
      rest += `\n${lines[at] ?? ''}`
    }
    const value = quote === undefined ? bareValue(rest, home) : quotedValue(rest, quote)
    if (value === null) {
      problems.push({ line: start + 1, message: `has a quote that does not end, for ${name}` })
      // What follows may be a part of the value, so it is not taken for anything else.
      break
    }
    if (value.includes('\0') || Buffer.byteLength(value) > VALUE_MAX) {
      problems.push({ line: start + 1, message: `has a value that no program can be given, for ${name}` })
      continue
    }
    values.set(name, value)
  }
  return { values: Object.fromEntries(values), problems }
}

/** Where the quote ends that the text begins with, -1 when it does not. */
function closing(text: string, quote: string): number {
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text[at] === quote) return at
  }
  return -1
}

function quotedValue(text: string, quote: string): string | null {
  const end = closing(text, quote)
  if (end === -1 || !/^\s*(#.*)?$/.test(text.slice(end + 1))) return null
  const inner = text.slice(1, end)
  if (quote === "'") return inner
  return inner.replace(/\\(["\\$`\n]|n|t|r)/g, (_all, escaped: string) => ESCAPES[escaped] ?? escaped)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' }

function bareValue(text: string, home: string): string {
  // A comment begins behind a blank: `#` is a part of many tokens.
  const value = text.replace(/(^|\s)#.*$/, '').trim()
  if (value === '~') return home
  return value.startsWith('~/') ? `${home}${value.slice(1)}` : value
}

/**
 * Reads files of variables in order, later ones win. The values are secrets.
 * @throws BottleError `not-found`, `permission` or `manifest-invalid`; its text never holds a value
 */
export async function readEnvFiles(
  files: readonly string[],
  home: string,
): Promise<Readonly<Record<string, string>>> {
  const all = new Map<string, string>()
  for (const file of files) {
    const { values, problems } = parseEnvFile(await readSmall(file), home)
    if (problems.length > 0) {
      const told = problems.slice(0, 10).map(({ line, message }) => `line ${line} ${message}`)
      throw bottleError('manifest-invalid', `The env file ${file} can't be read: ${told.join('; ')}.`)
    }
    for (const [name, value] of Object.entries(values)) all.set(name, value)
  }
  return Object.fromEntries(all)
}

async function readSmall(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      const isPlain = (await handle.stat()).isFile()
      if (!isPlain || size > FILE_MAX)
        throw bottleError('manifest-invalid', `The env file ${file} is no plain file of at most 1 MB.`)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw bottleError('not-found', `There is no env file ${file}, which the agent's definition names.`)
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP')
      throw bottleError('permission', `The env file ${file} can't be read.`, {
        detail: message,
        cause: thrown,
      })
    throw thrown
  }
}
