/** One option as clap knows it. Without `value` it is a switch. */
export interface OptionSpec {
  readonly long: string
  readonly help: string
  readonly short?: string
  readonly aliases?: readonly string[]
  readonly value?: string
  readonly many?: boolean
  readonly required?: boolean
  readonly hidden?: boolean
  readonly kind?: 'number' | 'duration' | 'port'
  readonly choices?: readonly string[]
  readonly conflicts?: readonly string[]
  readonly requires?: string
}

export interface PositionalSpec {
  readonly name: string
  readonly help: string
  readonly required?: boolean
  /** Everything after `--`, and only that. */
  readonly last?: boolean
}

export interface CommandSpec {
  readonly name: string
  readonly about: string
  readonly aliases?: readonly string[]
  readonly hidden?: boolean
  readonly options: readonly OptionSpec[]
  readonly positionals: readonly PositionalSpec[]
  readonly commands?: readonly CommandSpec[]
}

/** A call that the grammar accepts. */
export interface Call {
  /** Names from the top, such as `machine`, `create`. */
  readonly path: readonly string[]
  has(long: string): boolean
  one(long: string): string | undefined
  all(long: string): readonly string[]
  positional(name: string): string | undefined
  /** What came after `--`. */
  readonly rest: readonly string[]
}

export type Parsed =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'print'; readonly text: string }
  /** Exit 2, on stderr. */
  | { readonly kind: 'refused'; readonly text: string }

class Refused extends Error {}

const HELP: OptionSpec = { long: 'help', short: 'h', help: 'Print help' }

/** Parses as clap does: strict, and what it can't take is refused with exit 2. */
export function parseArguments(top: CommandSpec, version: string, argv: readonly string[]): Parsed {
  const path: CommandSpec[] = [top]
  let index = 0
  const here = () => path.at(-1) ?? top
  try {
    while (here().commands) {
      const word = argv[index]
      if (word === '-h' || word === '--help') return { kind: 'print', text: helpText(path) }
      if (path.length === 1 && (word === '-V' || word === '--version'))
        return { kind: 'print', text: `${top.name} ${version}\n` }
      if (word === undefined) return { kind: 'refused', text: helpText(path) }
      if (word.startsWith('-')) throw new Refused(`unexpected argument '${word}' found`)
      const found = here().commands?.find(({ name, aliases }) => name === word || aliases?.includes(word))
      if (word === 'help' && !found) return { kind: 'print', text: helpText(path) }
      if (!found) throw new Refused(`unrecognized subcommand '${word}'`)
      path.push(found)
      index += 1
    }
    return parseCommand(path, argv.slice(index))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const usage = `\n\nUsage: ${usageOf(path)}\n\nFor more information, try '--help'.\n`
    return { kind: 'refused', text: `error: ${error.message}${usage}` }
  }
}

function parseCommand(path: readonly CommandSpec[], argv: readonly string[]): Parsed {
  const spec = path.at(-1)
  if (!spec) throw new Error('no command')
  const values = new Map<string, string[]>()
  const free: string[] = []
  let rest: readonly string[] | undefined
  const room = spec.positionals.filter(({ last }) => !last)
  const put = (option: OptionSpec, value: string) => {
    const before = values.get(option.long)
    if (before && !option.many)
      throw new Refused(`the argument '${shown(option)}' cannot be used multiple times`)
    check(option, value)
    values.set(option.long, [...(before ?? []), value])
  }
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    const next = (option: OptionSpec): string => {
      const value = argv[index + 1]
      if (value === undefined || (value.startsWith('-') && value !== '-')) {
        if (value === undefined || isOption(spec, value) || value === '--')
          throw new Refused(`a value is required for '${shown(option)}' but none was supplied`)
        throw new Refused(`unexpected argument '${value}' found`)
      }
      index += 1
      return value
    }
    if (word === '--') {
      rest = argv.slice(index + 1)
      break
    }
    if (word.startsWith('--')) {
      const [name = '', ...further] = word.slice(2).split('=')
      const option = find(spec, name)
      if (!option) throw new Refused(`unexpected argument '--${name}' found`)
      if (option === HELP) return { kind: 'print', text: helpText(path) }
      const attached = word.includes('=') ? further.join('=') : undefined
      if (option.value === undefined && attached !== undefined)
        throw new Refused(`unexpected value '${attached}' for '--${name}' found; no more were expected`)
      put(option, option.value === undefined ? '' : (attached ?? next(option)))
    } else if (word.startsWith('-') && word !== '-') {
      for (let at = 1; at < word.length; at += 1) {
        const letter = word[at] ?? ''
        const option = [...spec.options, HELP].find(({ short }) => short === letter)
        if (!option) throw new Refused(`unexpected argument '-${letter}' found`)
        if (option === HELP) return { kind: 'print', text: helpText(path) }
        if (option.value === undefined) {
          put(option, '')
          continue
        }
        const attached = word.slice(at + 1).replace(/^=/, '')
        put(option, attached === '' ? next(option) : attached)
        break
      }
    } else {
      if (free.length >= room.length) throw new Refused(`unexpected argument '${word}' found`)
      free.push(word)
    }
  }
  const last = spec.positionals.find((positional) => positional.last)
  if (rest !== undefined && !last) {
    // Without trailing words `--` only ends the options.
    free.push(...rest)
    rest = undefined
    const extra = free[room.length]
    if (extra !== undefined) throw new Refused(`unexpected argument '${extra}' found`)
  }
  demand(spec, values, free, rest ?? [])
  const call: Call = {
    path: path.slice(1).map(({ name }) => name),
    has: (long) => values.has(long),
    one: (long) => values.get(long)?.at(-1),
    all: (long) => values.get(long) ?? [],
    positional: (name) => free[room.findIndex((positional) => positional.name === name)],
    rest: rest ?? [],
  }
  return { kind: 'call', call }
}

function demand(
  spec: CommandSpec,
  values: ReadonlyMap<string, readonly string[]>,
  free: readonly string[],
  rest: readonly string[],
): void {
  for (const option of spec.options.filter(({ long }) => values.has(long))) {
    const clash = option.conflicts?.find((name) => values.has(name))
    const other = clash === undefined ? undefined : find(spec, clash)
    if (other) throw new Refused(`the argument '${shown(option)}' cannot be used with '${shown(other)}'`)
    const needed = option.requires
    if (needed !== undefined && !values.has(needed)) lacking([`--${needed} <VALUE>`])
  }
  const missing = [
    ...spec.options.filter(({ required, long }) => required && !values.has(long)).map(shown),
    ...spec.positionals.filter(({ required, last }) => required && last && rest.length === 0).map(placed),
    ...spec.positionals
      .filter(({ last }) => !last)
      .flatMap((one, at) => (one.required && free[at] === undefined ? [placed(one)] : [])),
  ]
  if (missing.length > 0) lacking(missing)
}

function lacking(names: readonly string[]): never {
  throw new Refused(
    `the following required arguments were not provided:\n${names.map((name) => `  ${name}`).join('\n')}`,
  )
}

function check(option: OptionSpec, value: string): void {
  const wrong = (why: string) => new Refused(`invalid value '${value}' for '${shown(option)}': ${why}`)
  if (option.kind === 'number' && !/^\d+$/.test(value)) throw wrong('invalid digit found in string')
  if (option.kind === 'duration' && parseDuration(value) === null)
    throw wrong('time unit needed, for example 30s')
  if (option.kind === 'port' && !/^\d+(:\d+)?$/.test(value)) throw wrong('expected HOST:GUEST')
  if (option.choices && !option.choices.includes(value))
    throw new Refused(
      `invalid value '${value}' for '${shown(option)}'\n  [possible values: ${option.choices.join(', ')}]`,
    )
}

/** Milliseconds, or null for what is no duration; a number alone is none. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+)\s*(ms|msec|s|sec|secs|m|min|mins|h|hr)$/.exec(text)
  if (!match) return null
  const unit = match[2] ?? 's'
  const factor = unit.startsWith('ms')
    ? 1
    : unit.startsWith('s')
      ? 1000
      : unit.startsWith('m')
        ? 60_000
        : 3_600_000
  const length = Number(match[1]) * factor
  return length > 0 ? length : null
}

function find(spec: CommandSpec, name: string): OptionSpec | undefined {
  return [...spec.options, HELP].find(({ long, aliases }) => long === name || aliases?.includes(name))
}

function isOption(spec: CommandSpec, word: string): boolean {
  if (word.startsWith('--')) return find(spec, word.slice(2).split('=')[0] ?? '') !== undefined
  return [...spec.options, HELP].some(({ short }) => short !== undefined && word[1] === short)
}

function shown(option: OptionSpec): string {
  return option.value === undefined ? `--${option.long}` : `--${option.long} <${option.value}>`
}

function placed({ name, last }: PositionalSpec): string {
  return last ? `<${name}>...` : `<${name}>`
}

function usageOf(path: readonly CommandSpec[]): string {
  const spec = path.at(-1)
  const names = path.map(({ name }) => name).join(' ')
  if (!spec || spec.commands) return `${names} <COMMAND>`
  const must = spec.options.filter(({ required }) => required).map((option) => ` ${shown(option)}`)
  const places = spec.positionals.map((one) => {
    if (one.last) return one.required ? ` -- <${one.name}>...` : ` [-- <${one.name}>...]`
    return one.required ? ` <${one.name}>` : ` [${one.name}]`
  })
  return `${names} [OPTIONS]${must.join('')}${places.join('')}`
}

/** Help as clap prints it: what the version has, and nothing else. */
export function helpText(path: readonly CommandSpec[]): string {
  const spec = path.at(-1)
  if (!spec) return ''
  const lines = [spec.about, '', `Usage: ${usageOf(path)}`, '']
  const table = (rows: readonly (readonly [string, string])[]) => {
    const width = Math.max(...rows.map(([left]) => left.length))
    return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
  }
  const commands = spec.commands?.filter(({ hidden }) => !hidden)
  if (commands) {
    const rows = commands.map(({ name, about, aliases }) => {
      const also = aliases ? ` [aliases: ${aliases.join(', ')}]` : ''
      return [name, `${about}${also}`] as const
    })
    const help = ['help', 'Print this message or the help of the given subcommand(s)'] as const
    lines.push('Commands:', ...table([...rows, help]), '')
  }
  if (spec.positionals.length > 0)
    lines.push('Arguments:', ...table(spec.positionals.map((one) => [placed(one), one.help] as const)), '')
  const version = path.length === 1 ? [{ long: 'version', short: 'V', help: 'Print version' }] : []
  const options = [...spec.options.filter(({ hidden }) => !hidden), HELP, ...version].map((option) => {
    const short = option.short ? `-${option.short}, ` : '    '
    return [`${short}${shown(option)}${'many' in option && option.many ? '...' : ''}`, option.help] as const
  })
  lines.push('Options:', ...table(options))
  return `${lines.join('\n')}\n`
}
