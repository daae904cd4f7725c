import type { HookPoint } from '../../src-preload/contract/agents.ts'
import { isEmpty, readBoolean, readFields, readItems, readNumber, readText } from './fields.ts'
import type { Field, Located } from './frontmatter.ts'
import { DEFAULT_LIFECYCLE, type HookEntry, type Lifecycle } from './lifecycle.ts'
import { quoted, type Report } from './problems.ts'

export const HOOK_POINTS = Object.keys(DEFAULT_LIFECYCLE.hooks) as readonly HookPoint[]

/** Seconds that a hook gets where its entry says nothing. */
const SHELL_TIMEOUT = 30
const URL_TIMEOUT = 5
const RUN_MAX = 20_000

/** `hooks: {pre_start: [a shell line, https://…, {run, timeout, required}]}`; every point is there, most are empty. */
export function readHooks(field: Field | undefined, report: Report): Lifecycle['hooks'] {
  if (!field) return DEFAULT_LIFECYCLE.hooks
  const points = readFields(field.value, '`hooks`', HOOK_POINTS, report)
  const hooks: Record<HookPoint, readonly HookEntry[]> = { ...DEFAULT_LIFECYCLE.hooks }
  for (const point of HOOK_POINTS) {
    hooks[point] = readItems(points.get(point)).flatMap((item) => readEntry(item, point, report) ?? [])
  }
  return hooks
}

function readEntry(item: Located, point: HookPoint, report: Report): HookEntry | undefined {
  if (item.kind === 'list' || isEmpty(item)) {
    report(
      item.line,
      `An entry of \`${point}\` must be a shell line, an address or a map with \`run\` or \`url\`.`,
    )
    return undefined
  }
  const fields =
    item.kind === 'map' ? readFields(item, 'A hook', ENTRY_KEYS, report) : new Map<string, Field>()
  const asRun = item.kind === 'scalar' ? { key: point, line: item.line, value: item } : fields.get('run')
  const url = readText(fields.get('url'), report)
  const run = readText(asRun, report)
  if ((run === undefined) === (url === undefined)) {
    report(item.line, `A hook of \`${point}\` needs either \`run\` or \`url\`.`)
    return undefined
  }
  const text = (url ?? run ?? '').trim()
  const isUrl = url !== undefined || /^https?:\/\//i.test(text)
  if (text === '') report(item.line, `A hook of \`${point}\` is empty.`)
  if (text.length > RUN_MAX) report(item.line, `A hook of \`${point}\` is longer than ${RUN_MAX / 1000} kB.`)
  if (isUrl && !isAddress(text)) {
    report(item.line, `${quoted(withoutQuery(text))} is not an http(s) address.`)
    return undefined
  }
  return {
    kind: isUrl ? 'url' : 'shell',
    run: text,
    timeoutSeconds:
      readNumber(fields.get('timeout'), { min: 1, max: 3600 }, report) ??
      (isUrl ? URL_TIMEOUT : SHELL_TIMEOUT),
    required: readBoolean(fields.get('required'), report) ?? false,
  }
}

const ENTRY_KEYS = ['run', 'url', 'timeout', 'required']

function isAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '') && !/\s/.test(text)
}

/** A query may hold a token. */
function withoutQuery(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//')
}
