import { DiskFullError, readKnobs, strikesOf, takeFaults } from '../lib/knobs.ts'
import { type QuickAnswer, SERVE, serveQuick } from '../lib/quick.ts'
import { helpOf, parseArguments, usageOf } from './arguments.ts'
import { type Engine, openEngine, recordCall, type Sink } from './engine.ts'
import { AggregateContainerError, ContainerError, ExitWith, tellError, UsageError } from './errors.ts'
import { versionLine } from './system.ts'
import { type Verb, verbsOf } from './verbs.ts'

const GROUPS = ['image', 'i', 'system', 's']
const LONG: Readonly<Record<string, string>> = { i: 'image', s: 'system' }

interface Called {
  readonly verb: Verb
  /** As the faults name it. */
  readonly name: string
  readonly args: readonly string[]
}

/** The verb that the words name, or what to say instead. */
function findVerb(
  verbs: readonly Verb[],
  argv: readonly string[],
  isUp: boolean,
): Called | { readonly help: string } {
  const words = argv.filter((word, at) => !(word === '--debug' && at === 0))
  const [first = '', second = ''] = words
  if (first === '' || first === '--help' || first === '-h' || first === 'help')
    return { help: overview(verbs, '') }
  if (first.startsWith('-')) throw new UsageError(`Unknown option '${first}'`)
  const isGroup = GROUPS.includes(first)
  const name = isGroup ? `${LONG[first] ?? first} ${second}` : first
  const verb = verbs.find(({ names }) => names.includes(name))
  if (verb) return { verb, name: verb.names[0] ?? name, args: words.slice(isGroup ? 2 : 1) }
  if (isGroup) {
    if (second === '' || second === '--help' || second === '-h')
      return { help: overview(verbs, `${LONG[first] ?? first} `) }
    throw new UsageError(
      second.startsWith('-') ? `Unknown option '${second}'` : `Unexpected argument '${second}'`,
      first,
    )
  }
  throw new UsageError(
    isUp
      ? `Plugin 'container-${first}' not found.`
      : 'Plugins are unavailable. Start the container system services and retry:\n\n    container system start\n',
    'plugin',
  )
}

function overview(verbs: readonly Verb[], group: string): string {
  const shown = verbs.filter(({ names }) =>
    group === '' ? !names[0]?.includes(' ') : names[0]?.startsWith(group),
  )
  const lines = shown.map(
    ({ names, overview: text }) =>
      `  ${names
        .map((name) => name.replace(group, ''))
        .join(', ')
        .padEnd(24)}${text}`,
  )
  const groups =
    group === ''
      ? ['  image, i                Manage images', '  system, s               Manage system components']
      : []
  return [
    'OVERVIEW: A container platform for macOS',
    '',
    `USAGE: container ${group}[--debug] <subcommand>`,
    '',
    'SUBCOMMANDS:',
    ...lines,
    ...groups,
    '',
  ].join('\n')
}

async function act(engine: Engine, { verb, name, args }: Called): Promise<number> {
  const end = args.indexOf('--')
  const own = verb.spec.rest?.passthrough
    ? args.slice(0, args.findIndex((word) => !word.startsWith('-')) + 1 || args.length)
    : args
  if ((end < 0 ? own : own.slice(0, end)).some((word) => word === '--help' || word === '-h')) {
    engine.print(helpOf(name, verb.spec, verb.overview))
    return 0
  }
  const parsed = parseArguments(verb.spec, args, name)
  const fault = engine.strikes.atStart()
  if (fault?.kind === 'locked')
    throw new ContainerError('internalError', fault.message ?? 'database is locked')
  if (fault) {
    engine.log(fault.message ?? 'Error: something went wrong')
    return fault.exitCode ?? 1
  }
  await verb.act(engine, parsed)
  engine.strikes.atEnd()
  return 0
}

/** Says what went wrong and gives the exit code. */
function tell(engine: Engine, verbs: readonly Verb[], error: unknown): number {
  if (error instanceof ExitWith) return error.exitCode
  if (error instanceof UsageError) {
    const verb = verbs.find(({ names }) => names.includes(error.verb))
    const usage = verb
      ? `\nUsage: ${usageOf(error.verb, verb.spec)}\n  See 'container ${error.verb} --help' for more information.`
      : ''
    engine.log(`Error: ${error.message}${usage}`)
    return 64
  }
  const known =
    error instanceof DiskFullError
      ? new ContainerError('internalError', `failed to write to storage: ${error.message}`)
      : error
  if (!(known instanceof ContainerError) && !(known instanceof AggregateContainerError)) throw error
  engine.log(tellError(known))
  return 1
}

/** One call, from its words to its exit code. */
async function call(dir: string, argv: readonly string[], pid: number, sink?: Sink): Promise<number> {
  recordCall(dir, argv, pid)
  const open = (name: string | null) =>
    openEngine(dir, strikesOf(name === null ? [] : takeFaults(dir, name)), sink)
  let engine = open(null)
  const verbs = verbsOf(engine.gates)
  try {
    if (argv[0] === '--version') {
      engine = open('version')
      engine.strikes.atStart()
      engine.print(versionLine(engine.version))
      engine.flush()
      return 0
    }
    const called = findVerb(verbs, argv, engine.isUp())
    if ('help' in called) engine.print(called.help)
    else engine = open(called.name)
    const code = 'help' in called ? 0 : await act(engine, called)
    engine.flush()
    return code
  } catch (error) {
    try {
      // What was done before the failure is told all the same.
      engine.flush()
      return tell(engine, verbs, error)
    } catch (further) {
      if (further instanceof ExitWith) return further.exitCode
      throw further
    }
  }
}

/** Verbs that only read and neither wait nor depend on where they are called. */
const READS = [
  ...['list', 'ls', 'inspect', 'image list', 'image ls', 'image inspect', 'logs', '--version'],
  ...['system status', 'system version'],
]
/** Verbs that change something, with options whose paths lie where the caller stands; here they are done one after the other. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  run: ['--volume', '-v', '--mount', '--cidfile', '--env-file'],
  export: ['--output', '-o'],
  delete: [],
  'image load': ['--input', '-i'],
  'image save': ['--output', '-o'],
  'image tag': [],
  'image delete': [],
}

/** What the server may do: nothing that needs the caller's folder, environment or streams, or that waits. */
function planAnswer(argv: readonly string[]): 'now' | 'in turn' | null {
  const name = argv.slice(0, ['image', 'system'].includes(argv[0] ?? '') ? 2 : 1).join(' ')
  if (READS.includes(name))
    return argv.some((word) => word === '--follow' || /^-[a-z]*f/.test(word)) ? null : 'now'
  const paths = CHANGES[name]
  if (!paths || argv.some((word) => word === '-e' || /^--\w[\w-]*=/.test(word))) return null
  const given = (option: string) => argv.flatMap((word, at) => (word === option ? (argv[at + 1] ?? '') : []))
  if (paths.flatMap(given).some((path) => !/^(type=\w+,source=)?\//.test(path))) return null
  if (given('--env').some((entry) => !entry.includes('='))) return null
  // The streams of these are the caller's.
  if (name === 'run' && !argv.includes('--detach')) return null
  if ((name === 'image load' || name === 'image save') && paths.flatMap(given).length === 0) return null
  return 'in turn'
}

let turn: Promise<unknown> = Promise.resolve()

async function answer(dir: string, argv: readonly string[], pid: number): Promise<QuickAnswer | null> {
  const plan = planAnswer(argv)
  // A copy that is to take its time would keep all others waiting.
  if (plan === null || readKnobs(dir).extra?.copyTakesMs !== undefined) return null
  const out: Uint8Array[] = []
  const err: Uint8Array[] = []
  const sink: Sink = { out: (data) => out.push(data), err: (data) => err.push(data) }
  const work = () => call(dir, argv, pid, sink)
  const done = plan === 'now' ? work() : turn.then(work)
  if (plan === 'in turn') turn = done.catch(() => undefined)
  const exitCode = await done
  return { exitCode, stdout: Buffer.concat(out), stderr: Buffer.concat(err) }
}

const [first = '', ...words] = process.argv.slice(2)
if (first === SERVE) {
  const dir = words[0] ?? ''
  await serveQuick(dir, (argv, pid) => answer(dir, argv, pid))
}
process.exit(await call(first, words, process.pid))
