import { constants } from 'node:fs'
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
  const whole = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  let line = 0
  for (let at = 0; at < whole.length; ) {
    line++
    let end = endOfLine(whole, at)
    const match = /^\s*(?:export\s+)?([^=\s]+)=/.exec(whole.slice(at, end))
    const name = match?.[1] ?? ''
    const isBlank = /^\s*(#|$)/.test(whole.slice(at, end))
    if (!match || isBlank || !isEnvName(name)) {
      if (!isBlank) problems.push({ line, message: 'is not NAME=value' })
      at = end + 1
      continue
    }
    const start = at + match[0].length
    const begun = line
    const isQuoted = whole[start] === '"' || whole[start] === "'"
    // A quoted value may go on over several lines.
    const closed = isQuoted ? closing(whole, start) : -1
    if (isQuoted && closed !== -1) {
      line += whole.slice(start, closed).split('\n').length - 1
      end = endOfLine(whole, closed)
    }
    const isEnded = !isQuoted || (closed !== -1 && /^\s*(#.*)?$/.test(whole.slice(closed + 1, end)))
    if (!isEnded) {
      problems.push({ line: begun, message: `has a quote that does not end, for ${name}` })
      // What follows may be a part of the value, so it is not taken for anything else.
      break
    }
    const value = isQuoted
      ? unquoted(whole.slice(start, closed + 1))
      : bareValue(whole.slice(start, end), home)
    if (value.includes('\0') || Buffer.byteLength(value) > VALUE_MAX)
      problems.push({ line: begun, message: `has a value that no program can be given, for ${name}` })
    else values.set(name, value)
    at = end + 1
  }
  return { values: Object.fromEntries(values), problems }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** Where the quote ends that begins at `start`, -1 when it does not. */
function closing(text: string, start: number): number {
  const quote = text[start]
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text[at] === quote) return at
  }
  return -1
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1)
  if (text.startsWith("'")) return inner
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
    // Never waits for somebody to write into a pipe.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
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
