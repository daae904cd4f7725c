import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { isBuildStale } from '../src-main/system/stale-build.ts'
import { endProcess, runChild } from './support/child.ts'
import { inNetworkOf, type OwnDaemon, removeTree } from './support/docker-daemon.ts'
import {
  compareInventories,
  describeImage,
  type EngineInventory,
  isOurs,
  takeInventory,
} from './support/engine-inventory.ts'
import { processesUnder } from './support/leftovers.ts'
import { chromiumPath, needsEngine, prepareEngine, preparePrograms } from './support/prepare.ts'
import { type SuiteResult, stepResult, summarize } from './support/tally.ts'

const ROOT = join(import.meta.dirname, '..')
const STEPS = ['types', 'lint'] as const
const SUITES = ['unit', 'engine', 'doubles', 'e2e', 'desktop', 'faults'] as const
/**
 * Files at a time, of any suite: two cores have room for more where files wait for engines, terminals and processes most
 * of the time, and long files of one suite beside short ones of another leave no core waiting.
 */
const WORKERS = 5
const PROJECTS = ['src-preload', 'src-main', 'src-renderer', 'tests']
const MINUTE = 60_000

const HELP = `npm test [-- SUITE… --filter PATH --name TEXT]
  SUITE   ${[...STEPS, ...SUITES].join(', ')}; default: all
  --filter PATH   only test files whose path contains PATH
  --name TEXT     only tests whose name contains TEXT`

interface Wanted {
  readonly suites: readonly string[]
  readonly filter: string | undefined
  readonly name: string | undefined
}

function readArguments(argv: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { filter: { type: 'string' }, name: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const known: readonly string[] = [...STEPS, ...SUITES]
  const unknown = positionals.find((suite) => !known.includes(suite))
  if (unknown !== undefined) throw new Error(`There is no suite ${unknown}.\n${HELP}`)
  const isNarrowed = values.filter !== undefined || values.name !== undefined
  const all = isNarrowed ? SUITES : known
  return { suites: positionals.length > 0 ? positionals : all, filter: values.filter, name: values.name }
}

/** The four type-checked projects run side by side; each failure shows the compiler's own words. */
async function checkTypes(signal: AbortSignal): Promise<string | null> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  const runs = PROJECTS.map((project) =>
    runChild(tsc, ['-p', project], { cwd: ROOT, timeout: 5 * MINUTE, signal }),
  )
  const problems = (await Promise.all(runs)).filter((run) => run.exitCode !== 0).map((run) => run.output)
  return problems.length > 0 ? problems.join('\n') : null
}

async function runTool(file: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const path = join(ROOT, 'node_modules/.bin', file)
  const { exitCode, output, timedOut } = await runChild(path, args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    timeout: 5 * MINUTE,
    signal,
  })
  if (exitCode === 0) return null
  const text = stripVTControlCharacters(output)
  return timedOut ? `${file} did not end in time\n${text}` : text
}

/** All suites in one process group of their own; what they report is read back from a file. */
async function runSuites(suites: readonly string[], wanted: Wanted, run: Run): Promise<SuiteResult[]> {
  const started = Date.now()
  const resultFile = join(run.dir, 'results.json')
  const args = [
    'run',
    '--config=tests/vitest.config.ts',
    // Also the part of a suite that has a project of its own.
    ...suites.flatMap((suite) => [`--project=${suite}`, `--project=${suite}-*`]),
    `--maxWorkers=${WORKERS}`,
    '--reporter=default',
    '--reporter=./tests/support/suite-reporter.ts',
    ...(wanted.name === undefined ? [] : [`--testNamePattern=${wanted.name.replace(/[^\w ]/g, '\\$&')}`]),
    ...(wanted.filter === undefined ? [] : [wanted.filter, '--passWithNoTests']),
  ]
  const env = {
    ...run.env,
    ICEBOX_SUITES: suites.join(' '),
    ICEBOX_SUITE_RESULTS: resultFile,
    ICEBOX_SUITE_NAME_FILTER: wanted.name ?? '',
  }
  const vitest = [join(ROOT, 'node_modules/.bin/vitest'), ...args]
  const [file, ...rest] = run.daemon ? inNetworkOf(run.daemon, vitest) : vitest
  const { exitCode, timedOut } = await runChild(file ?? '', rest, {
    cwd: ROOT,
    env,
    timeout: 40 * MINUTE,
    signal: run.signal,
    output: 'show',
  })
  const told = JSON.parse(await readFile(resultFile, 'utf8').catch(() => '[]')) as SuiteResult[]
  const results = told.toSorted((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite))
  // A part of a suite may be empty; a whole one that ran nothing hides a broken runner.
  const silent = suites.filter((suite) => !results.some((result) => result.suite === suite))
  const lost =
    wanted.filter === undefined ? silent.map((suite) => stepResult(suite, 0, 'no test of it ran')) : []
  const isSilentFailure = exitCode !== 0 && results.every((result) => result.failures.length === 0)
  if (!isSilentFailure && !timedOut) return [...results, ...lost]
  const why = timedOut
    ? 'the suites did not end in time'
    : `the runner ended with ${exitCode} without naming a failure`
  return [...results, ...lost, stepResult('runner', Date.now() - started, why)]
}

interface Run {
  /** Temp folder of the run; the temp files of all suites live in it. */
  readonly dir: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** The engine that was started for this run; null: one that was there, or none. */
  readonly daemon: OwnDaemon | null
}

async function timed(suite: string, work: () => Promise<string | null>): Promise<SuiteResult> {
  const started = Date.now()
  const problem = await work().catch((error: unknown) => String(error))
  return stepResult(suite, Date.now() - started, problem)
}

/** A supervisor looks every ten seconds whether its state root is still there, and ends when it is not. */
async function processesThatStay(dir: string): ReturnType<typeof processesUnder> {
  const deadline = Date.now() + 15_000
  for (;;) {
    const found = await processesUnder(dir)
    if (found.length === 0 || Date.now() > deadline) return found
    await delay(250)
  }
}

/** Everything that the suites made must be gone: engine objects and processes alike. */
async function findLeaks(
  before: EngineInventory | null,
  isOwnEngine: boolean,
  run: Run,
): Promise<string | null> {
  const problems: string[] = []
  if (before) {
    const { appeared, vanished } = compareInventories(before, await takeInventory(run.env))
    // On a shared engine others come and go; there only what bears our names can be held against us.
    const counts = (name: string) => isOwnEngine || isOurs(name)
    for (const name of appeared.filter(counts))
      problems.push(`left behind: ${await describeImage(name, run.env)}`)
    problems.push(...vanished.filter(counts).map((name) => `was there before and is gone: ${name}`))
    for (const name of appeared.filter((name) => !counts(name)))
      console.log(`note: new on the shared engine: ${name}`)
  }
  for (const { pid, command } of await processesThatStay(run.dir)) {
    problems.push(`still running: ${pid} ${command}`)
    endProcess(pid)
  }
  return problems.length > 0 ? problems.join('\n') : null
}

/** What needs no more than `npm ci` brings. */
async function runSteps(wanted: Wanted, signal: AbortSignal): Promise<SuiteResult[]> {
  const results: SuiteResult[] = []
  // `npm ci` has just built it.
  const build = async () => {
    if (!(await isBuildStale(ROOT))) return null
    console.log('Building')
    return runTool('electron-vite', ['build'], signal)
  }
  results.push(await timed('build', build))
  if (wanted.suites.includes('types')) results.push(await timed('types', () => checkTypes(signal)))
  if (wanted.suites.includes('lint'))
    results.push(await timed('lint', () => runTool('biome', ['check', '.'], signal)))
  return results
}

async function runAll(wanted: Wanted, steps: readonly SuiteResult[], run: Run): Promise<SuiteResult[]> {
  const isBuilt = steps.every(({ suite, failures }) => suite !== 'build' || failures.length === 0)
  const suites = SUITES.filter((suite) => wanted.suites.includes(suite))
  // Without a fresh build the others would test the last one that worked.
  const runnable = suites.filter((suite) => suite === 'unit' || isBuilt)
  const left = suites.filter((suite) => !runnable.includes(suite))
  const results = left.map((suite) => stepResult(suite, 0, 'not run, because the build failed'))
  if (runnable.length === 0 || run.signal.aborted) return [...steps, ...results]
  const before = runnable.some(needsEngine) ? await takeInventory(run.env) : null
  results.push(...(await runSuites(runnable, wanted, run)))
  results.push(await timed('leftovers', () => findLeaks(before, run.daemon !== null, run)))
  return [...steps, ...results]
}

/** Programs and an engine for the suites; the engine is the run's own, or null. */
async function prepare(wanted: Wanted, signal: AbortSignal): Promise<OwnDaemon | null> {
  await preparePrograms(wanted.suites, signal)
  return prepareEngine(wanted.suites, signal)
}

async function main(): Promise<number> {
  const started = Date.now()
  const wanted = readArguments(process.argv.slice(2))
  const stopper = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopper.abort())
  // A short path: tests put Unix sockets below it, and those end at 107 bytes.
  const dir = await mkdtemp(join(tmpdir(), 'ibt-'))
  // Installing waits for the network, the steps for a core.
  const steps = runSteps(wanted, stopper.signal)
  let daemon: OwnDaemon | null = null
  try {
    daemon = await prepare(wanted, stopper.signal)
    const env = {
      ...process.env,
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }),
      PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter),
      TMPDIR: dir,
      ...(daemon ? { DOCKER_HOST: daemon.host, DOCKER_CONTEXT: '' } : {}),
      ICEBOX_TEST_CHROMIUM: (await chromiumPath()) ?? '',
    }
    const results = await runAll(wanted, await steps, { dir, env, signal: stopper.signal, daemon })
    if (stopper.signal.aborted) results.push(stepResult('run', 0, 'stopped before the end'))
    const { lines, last, exitCode } = summarize(results)
    console.log(`\n${lines.join('\n')}\n\nin all ${Math.round((Date.now() - started) / 1000)} s\n`)
    console.log(last)
    return exitCode
  } finally {
    stopper.abort()
    await steps
    await daemon?.stop()
    await removeTree(dir)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  // What could not even be prepared counts as one failure, so that the last line keeps its shape.
  console.error(error instanceof Error ? error.message : String(error))
  console.log(summarize([stepResult('prepare', 0, 'not prepared')]).last)
  process.exitCode = 1
}
