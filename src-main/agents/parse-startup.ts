import { isEmpty, readChoice, readFields, readItems, readNumber, readText, readTexts } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle, type StartupAnswer, type StartupCommand } from './lifecycle.ts'
import { quoted, type Report } from './problems.ts'

type Startup = Lifecycle['startup']

const KEYS = [
  'ready_patterns',
  'ready_idle_ticks',
  'ready_poll_interval_seconds',
  'ready_timeout_seconds',
  'on_timeout',
  'commands',
  'answers',
]
const PATTERN_MAX = 500
const TEXT_MAX = 100_000

/** What is typed once the agent is up, and how one tells that it is; `startup_commands` where `startup` has none. */
export function readStartup(
  field: Field | undefined,
  commandsField: Field | undefined,
  autoAccept: boolean | undefined,
  report: Report,
): Startup {
  const defaults = DEFAULT_LIFECYCLE.startup
  const fields = field ? readFields(field.value, '`startup`', KEYS, report) : new Map<string, Field>()
  const number = (key: string, min: number, max: number, whole = false): number | undefined =>
    readNumber(fields.get(key), { min, max, whole }, report)
  const own = readCommands(fields.get('commands'), report)
  const listed = readCommands(commandsField, report)
  return {
    autoAccept: autoAccept ?? defaults.autoAccept,
    answers: readItems(fields.get('answers')).flatMap((item) => readAnswer(item, report) ?? []),
    readyPatterns: (readTexts(fields.get('ready_patterns'), report, true) ?? []).flatMap(({ text, line }) =>
      isPattern(text, line, report) ? [text] : [],
    ),
    readyIdleTicks: number('ready_idle_ticks', 1, 1000, true) ?? defaults.readyIdleTicks,
    readyPollSeconds: number('ready_poll_interval_seconds', 0.05, 60) ?? defaults.readyPollSeconds,
    readyTimeoutSeconds: number('ready_timeout_seconds', 1, 86_400) ?? defaults.readyTimeoutSeconds,
    onTimeout:
      readChoice(fields.get('on_timeout'), ['capture_and_proceed', 'capture_and_fail'], report) ??
      defaults.onTimeout,
    commands: own.length > 0 ? own : listed,
  }
}

function readCommands(field: Field | undefined, report: Report): readonly StartupCommand[] {
  return readItems(field).flatMap((item) => readCommand(item, field?.key ?? '', report) ?? [])
}

/** A text, or `{delay, command}`. */
function readCommand(item: Located, list: string, report: Report): StartupCommand | undefined {
  if (item.kind === 'list' || isEmpty(item)) {
    report(item.line, `An item of \`${list}\` must be a text, or a map with \`command\` and \`delay\`.`)
    return undefined
  }
  const fields =
    item.kind === 'map'
      ? readFields(item, `An item of \`${list}\``, ['command', 'delay'], report)
      : new Map<string, Field>()
  const given = item.kind === 'scalar' ? { key: list, line: item.line, value: item } : fields.get('command')
  const text = readText(given, report)
  if (text === undefined || text === '') {
    report(item.line, `An item of \`${list}\` has no \`command\`.`)
    return undefined
  }
  if (Buffer.byteLength(text) > TEXT_MAX) {
    report(item.line, `An item of \`${list}\` is longer than ${TEXT_MAX / 1000} kB.`)
  }
  return { text, delaySeconds: readNumber(fields.get('delay'), { min: 0, max: 3600 }, report) ?? 0 }
}

function readAnswer(item: Located, report: Report): StartupAnswer | undefined {
  if (item.kind !== 'map') {
    report(item.line, 'An answer must be a map with `pattern` and `keys`.')
    return undefined
  }
  const fields = readFields(item, 'An answer', ['name', 'pattern', 'keys'], report)
  const pattern = readText(fields.get('pattern'), report)
  const keys = (readTexts(fields.get('keys'), report, true) ?? []).map(({ text }) => text)
  if (pattern === undefined || pattern === '' || keys.length === 0) {
    report(
      item.line,
      'An answer needs a `pattern` and `keys`.',
      'For example: {pattern: "Trust this", keys: [1, Enter]}',
    )
    return undefined
  }
  if (!isPattern(pattern, fields.get('pattern')?.line ?? item.line, report)) return undefined
  return { name: readText(fields.get('name'), report) ?? pattern.slice(0, 60), pattern, keys }
}

function isPattern(text: string, line: number, report: Report): boolean {
  if (text === '' || text.length > PATTERN_MAX) {
    report(line, `A pattern must have 1 to ${PATTERN_MAX} characters.`)
    return false
  }
  try {
    new RegExp(text, 'm')
    return true
  } catch {
    report(line, `${quoted(text)} is not a regular expression.`)
    return false
  }
}
