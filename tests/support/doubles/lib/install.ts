import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { rolldown } from 'rolldown'
import { processesUnder } from '../../leftovers.ts'
import { leaveMemoryFolder, makeMemoryFolder } from '../../memory-folder.ts'
import { type Knobs, setKnobs } from './knobs.ts'
import { isAlive, lookUp, signalProcess } from './process-id.ts'
import { perlProgram, quickSocket, SERVE, shellProgram } from './quick.ts'
import { writeJson } from './state.ts'

export type DoubleTool = 'container' | 'smolvm'

export interface DoubleOptions {
  readonly tool: DoubleTool
  readonly version: string
  /** Folder for all of its state; default a new one, in memory where that has room. Removed by `dispose`. */
  readonly dir?: string
  /** Name of the program; default the tool's own. */
  readonly name?: string
  /** Handed to the double as it is. */
  readonly config?: Readonly<Record<string, unknown>>
}

/** One call of a double, as it was made. */
export interface DoubleCall {
  readonly argv: readonly string[]
  readonly pid: number
}

/** A double that stands on a PATH of its own. */
export interface InstalledDouble {
  readonly tool: DoubleTool
  readonly version: string
  readonly dir: string
  /** Holds the program under its own name. */
  readonly binDir: string
  /** Absolute path of the program. */
  readonly program: string
  /** This process's environment with the program first on the PATH. */
  readonly env: NodeJS.ProcessEnv
  setKnobs(knobs: Knobs): void
  /** Every call so far, in order. */
  calls(): readonly DoubleCall[]
  /** Puts another version in place; the state stays, as with an upgrade. */
  setVersion(version: string): void
  /** Runs the program and waits; for tests and their preparations. */
  run(
    args: readonly string[],
    options?: { readonly input?: string | Buffer; readonly env?: NodeJS.ProcessEnv },
  ): DoubleRun
  /** Ends every guest and every call that hangs, then removes the folder. */
  dispose(): Promise<void>
}

export interface DoubleRun {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** First words of calls that a double's server may answer. */
const SERVED: Readonly<Record<DoubleTool, readonly string[]>> = {
  container: ['list', 'ls', 'inspect', 'image', 'logs', 'run', 'export', 'delete', 'system', '--version'],
  smolvm: ['machine', 'vm', 'pack', '--version'],
}
/** Variables that a call reads itself. */
const OWN: Readonly<Record<DoubleTool, readonly string[]>> = {
  container: ['CONTAINER_DEFAULT_PLATFORM'],
  smolvm: [],
}
const PERL = '/usr/bin/perl'
/** A Unix socket's path ends there. */
const LONGEST_SOCKET = 107

const SOURCES = join(import.meta.dirname, '..')

/** Puts the double of a tool at a version on a PATH of its own. Needs root on Linux. */
export async function installDouble(options: DoubleOptions): Promise<InstalledDouble> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('the doubles of container and smolvm need Linux and root: their guests are real')
  const bundle = await bundleOf(options.tool)
  const dir = options.dir ?? makeMemoryFolder('double-')
  const binDir = join(dir, 'bin')
  const program = join(binDir, options.name ?? options.tool)
  mkdirSync(binDir, { recursive: true })
  const configure = (version: string) =>
    writeJson(join(dir, 'config.json'), { ...options.config, tool: options.tool, version })
  configure(options.version)
  const isServed = existsSync(PERL) && quickSocket(dir).length <= LONGEST_SOCKET
  const server = isServed ? await startServer(bundle, dir) : null
  writeFileSync(
    program,
    isServed
      ? perlProgram(process.execPath, bundle, dir, SERVED[options.tool], OWN[options.tool])
      : shellProgram(process.execPath, bundle, dir),
  )
  chmodSync(program, 0o755)
  const env = { ...process.env, PATH: `${binDir}${delimiter}${process.env.PATH ?? ''}` }
  let version = options.version
  return {
    tool: options.tool,
    get version() {
      return version
    },
    dir,
    binDir,
    program,
    env,
    setKnobs: (knobs) => setKnobs(dir, knobs),
    calls: () => readCalls(dir),
    setVersion(next) {
      configure(next)
      // An upgrade puts another file in place, which is how it is noticed.
      utimesSync(program, new Date(), new Date())
      version = next
    },
    run(args, { input, env: further } = {}) {
      const result = spawnSync(program, args, {
        env: { ...env, ...further },
        maxBuffer: 1 << 30,
        timeout: 120_000,
        input: input ?? '',
      })
      if (result.error) throw result.error
      return { exitCode: result.status, stdout: result.stdout.toString(), stderr: result.stderr.toString() }
    },
    async dispose() {
      server?.kill('SIGKILL')
      await endAllUnder(dir)
      await rm(dir, { recursive: true, force: true })
      leaveMemoryFolder(dir)
    },
  }
}

/** Starts the process that answers calls. It ends with this one. */
async function startServer(bundle: string, dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [bundle, SERVE, `${dir}/`], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the server of a double ended with ${code}`)))
  })
  child.stdout.destroy()
  child.unref()
  for (const stream of [child.stdin])
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
  return child
}

function readCalls(dir: string): readonly DoubleCall[] {
  const path = join(dir, 'calls.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DoubleCall)
}

/** Guests, supervisors and calls all name the double's own folder in their command line. */
async function endAllUnder(dir: string): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    const left = (await processesUnder(`${dir}/`))
      .map(({ pid }) => lookUp(pid))
      .filter((id) => id !== null)
      .filter(isAlive)
    if (left.length === 0) return
    for (const id of left) {
      signalProcess(id, 'SIGCONT')
      signalProcess(id, 'SIGKILL')
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`processes of ${dir} do not end`)
}

/** One file per tool and content, made once for all test files of a run. */
async function bundleOf(tool: DoubleTool): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of ['lib', tool]) {
    for (const name of readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      if (name.endsWith('.ts')) hash.update(name).update(readFileSync(join(SOURCES, folder, name)))
    }
  }
  const dir = join(tmpdir(), 'icebox-doubles')
  const file = join(dir, `${tool}-${hash.digest('hex').slice(0, 16)}.mjs`)
  if (existsSync(file)) return file
  mkdirSync(dir, { recursive: true })
  const temp = `${file}.${process.pid}`
  const build = await rolldown({
    input: join(SOURCES, tool, 'main.ts'),
    platform: 'node',
    logLevel: 'silent',
  })
  try {
    const { output } = await build.generate({ format: 'esm', minify: false })
    writeFileSync(temp, withPlainBuiltins(output[0].code))
  } finally {
    await build.close()
  }
  renameSync(temp, file)
  return file
}

/**
 * An import statement of a built-in module makes all that the module could ever give, which takes as long as the rest
 * of a call; asking for it as a value takes only what is named.
 */
function withPlainBuiltins(code: string): string {
  return code.replace(
    /^import \{([^}]*)\} from ("node:[\w/]+");$/gm,
    (_, names: string, module: string) =>
      `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule(${module});`,
  )
}
