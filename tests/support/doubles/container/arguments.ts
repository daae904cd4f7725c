import { UsageError } from './errors.ts'

/** One option: `flag` takes no value, `value` one, `list` one each time. */
export interface OptionSpec {
  readonly names: readonly string[]
  readonly kind: 'flag' | 'value' | 'list'
  readonly check?: 'integer' | readonly string[]
  readonly help?: string
}

export interface VerbSpec {
  readonly options: readonly OptionSpec[]
  /** Positional arguments that must be there, by their names in messages. */
  readonly required: readonly string[]
  /** Further ones: any number, or everything after the last required one as it stands. */
  readonly rest?: { readonly name: string; readonly passthrough: boolean; readonly atLeastOne?: boolean }
}

export interface Parsed {
  /** By the option's long name. */
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly positional: readonly string[]
  readonly rest: readonly string[]
}

/** The option's last value, or undefined. */
export const optionOf = (parsed: Parsed, name: string): string | undefined => parsed.values.get(name)?.at(-1)

export const optionsOf = (parsed: Parsed, name: string): readonly string[] => parsed.values.get(name) ?? []

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`)

/** The name under which an option is kept: its first long one. */
export const keyOf = (option: OptionSpec): string =>
  option.names.find((name) => name.length > 1) ?? option.names[0] ?? ''

const looksLikeOption = (word: string) => word.length > 1 && word.startsWith('-')

/**
 * Reads arguments as Swift's ArgumentParser does: options anywhere before a passthrough argument, `--name=value`,
 * short flags together, values that don't begin with a dash, `--` as the end of options.
 * @throws UsageError
 */
export function parseArguments(spec: VerbSpec, argv: readonly string[], verb: string): Parsed {
  const flags = new Set<string>()
  const values = new Map<string, string[]>()
  const words: string[] = []
  const rest: string[] = []
  const find = (name: string) => spec.options.find((option) => option.names.includes(name))
  const fail = (message: string): never => {
    throw new UsageError(message, verb)
  }
  const keep = (option: OptionSpec, shown: string, value: string) => {
    const placeholder = `${shown} <${keyOf(option)}>`
    const isWrong =
      option.check === 'integer'
        ? !/^[+-]?\d+$/.test(value)
        : option.check !== undefined && !option.check.includes(value)
    if (isWrong) fail(`The value '${value}' is invalid for '${placeholder}'`)
    values.set(keyOf(option), [...(values.get(keyOf(option)) ?? []), value])
  }
  let optionsOver = false
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    if (!optionsOver && word === '--') {
      optionsOver = true
      continue
    }
    if (optionsOver || !looksLikeOption(word)) {
      words.push(word)
      if (spec.rest?.passthrough && words.length === spec.required.length) {
        rest.push(...argv.slice(at + 1))
        break
      }
      continue
    }
    const equals = word.indexOf('=')
    const shown = equals < 0 ? word : word.slice(0, equals)
    const names = shown.startsWith('--') || equals >= 0 ? [shown.replace(/^--?/, '')] : [...shown.slice(1)]
    for (const name of names) {
      const option = find(name)
      const isShort = !shown.startsWith('--')
      if (!option || (isShort && name.length > 1))
        return fail(`Unknown option '${names.length > 1 ? `-${name}` : shown}'`)
      if (isShort !== (name.length === 1)) return fail(`Unknown option '${shown}'`)
      if (option.kind === 'flag') {
        if (equals >= 0)
          fail(
            `The option '${shown}' does not take any value, but '${word.slice(equals + 1)}' was specified.`,
          )
        flags.add(keyOf(option))
        continue
      }
      if (names.length > 1) return fail(`Unknown option '${shown}'`)
      if (equals >= 0) keep(option, dashed(name), word.slice(equals + 1))
      else {
        const next = argv[at + 1]
        if (next === undefined || looksLikeOption(next))
          return fail(`Missing value for '${dashed(name)} <${keyOf(option)}>'`)
        keep(option, dashed(name), next)
        at += 1
      }
    }
  }
  const positional = words.slice(0, spec.required.length)
  const missing = spec.required[positional.length]
  if (missing !== undefined) fail(`Missing expected argument '<${missing}>'`)
  const further = words.slice(spec.required.length)
  if (spec.rest && !spec.rest.passthrough) rest.push(...further)
  else if (further.length === 1) fail(`Unexpected argument '${further[0]}'`)
  else if (further.length > 1)
    fail(`${further.length} unexpected arguments: ${further.map((one) => `'${one}'`).join(', ')}`)
  if (spec.rest?.atLeastOne && rest.length === 0) fail(`Missing expected argument '<${spec.rest.name}> ...'`)
  return { flags, values, positional, rest }
}

/** The usage line of a verb. */
export function usageOf(verb: string, spec: VerbSpec): string {
  const options = spec.options.map((option) => {
    const name = dashed(keyOf(option))
    const shown = option.kind === 'flag' ? name : `${name} <${keyOf(option)}>`
    return option.kind === 'list' ? `[${shown} ...]` : `[${shown}]`
  })
  const required = spec.required.map((name) => `<${name}>`)
  const rest = spec.rest
    ? [spec.rest.atLeastOne ? `<${spec.rest.name}> ...` : `[<${spec.rest.name}> ...]`]
    : []
  return `container ${[verb, ...options, ...required, ...rest].join(' ')}`
}

/** What `--help` prints. */
export function helpOf(verb: string, spec: VerbSpec, overview: string): string {
  const lines = spec.options.map((option) => {
    const names = option.names
      .toSorted((one, two) => one.length - two.length)
      .map(dashed)
      .join(', ')
    const shown = option.kind === 'flag' ? names : `${names} <${keyOf(option)}>`
    return `  ${shown.padEnd(30)}${option.help ?? ''}`.trimEnd()
  })
  return [`OVERVIEW: ${overview}`, '', `USAGE: ${usageOf(verb, spec)}`, '', 'OPTIONS:', ...lines, ''].join(
    '\n',
  )
}
