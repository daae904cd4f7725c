import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildResult, runChild } from './child.ts'
import { removeTree } from './docker-daemon.ts'

/** The build under test; `ICEBOX_TEST_OUT` names another one. */
export const OUT = process.env.ICEBOX_TEST_OUT ?? join(import.meta.dirname, '../../out')
const CLI = join(OUT, 'main/cli.js')

/** What one run of the command came to. */
export interface CliResult {
  /** Null when a signal ended it, as a fault point does. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The one JSON value on stdout, or undefined when there is none. */
  readonly json: unknown
  /** `error.code` of the JSON error on stderr, or undefined. */
  readonly errorCode: string | undefined
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  /** `<name>:kill` or `<name>:throw`. */
  readonly fault?: string
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** A state root of a test's own, with the built command bound to it. */
export interface IceboxHome {
  readonly dir: string
  /** Runs `icebox … --json`. Never throws for an exit code. */
  icebox(args: readonly string[], options?: CliOptions): Promise<CliResult>
  /** As `icebox`, and throws with everything it said unless it ends with 0. */
  must(args: readonly string[], options?: CliOptions): Promise<CliResult>
  writeAgent(name: string, front: string, prompt?: string): Promise<void>
  writeBottle(name: string, front: string): Promise<void>
  /** The owner mark on this root's engine objects; undefined before the first command. */
  rootId(): Promise<string | undefined>
  /** Removes the folder. What runs is the caller's to end before. */
  remove(): Promise<void>
}

/**
 * Makes an empty state root below the temp folder, or binds an existing folder.
 * @param options `inProcess`: commands that need no process of their own (no fault, variable or signal) run in this one
 */
export async function makeIceboxHome(
  at?: string,
  { inProcess = false }: { readonly inProcess?: boolean } = {},
): Promise<IceboxHome> {
  const dir = at ?? (await mkdtemp(join(tmpdir(), 'home-')))
  for (const folder of ['agents', 'bottles', 'cwd']) await mkdir(join(dir, folder), { recursive: true })
  const icebox = (args: readonly string[], options: CliOptions = {}) =>
    inProcess && !options.env && !options.fault && !options.signal
      ? runHere(dir, args)
      : runIcebox(dir, args, options)
  return {
    dir,
    icebox,
    must: async (args, options) => {
      const result = await icebox(args, options)
      if (result.code === 0) return result
      throw new Error(
        `icebox ${args.join(' ')} ended with ${result.code}\n${result.stdout}\n${result.stderr}`,
      )
    },
    writeAgent: (name, front, prompt = 'You are a test.') =>
      writeFile(join(dir, 'agents', `${name}.md`), `---\n${front.trim()}\n---\n${prompt}\n`),
    writeBottle: (name, front) =>
      writeFile(join(dir, 'bottles', `${name}.md`), `---\n${front.trim()}\n---\n`),
    rootId: async () => {
      const text = await readFile(join(dir, 'icebox/root.json'), 'utf8').catch(() => undefined)
      return text === undefined ? undefined : (JSON.parse(text) as { id: string }).id
    },
    remove: () => removeTree(dir),
  }
}

async function runIcebox(home: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  const env = {
    ...process.env,
    ...options.env,
    ICEBOX_HOME: home,
    ...(options.fault ? { ICEBOX_FAULT: options.fault } : {}),
  }
  const result: ChildResult = await runChild(process.execPath, [CLI, ...withJson(args)], {
    env,
    cwd: join(home, 'cwd'),
    timeout: options.timeout ?? 120_000,
    ...(options.signal ? { signal: options.signal } : {}),
  })
  if (result.timedOut) throw new Error(`icebox ${args.join(' ')} did not end in time\n${result.output}`)
  return read(result.exitCode, result.stdout, result.stderr)
}

async function runHere(home: string, args: readonly string[]): Promise<CliResult> {
  const { executeHere } = await import('./command-in-process.ts')
  const { code, stdout, stderr } = await executeHere(withJson(args), home, join(home, 'cwd'))
  return read(code, stdout, stderr)
}

function withJson(args: readonly string[]): readonly string[] {
  const before = args.indexOf('--')
  return before === -1 ? [...args, '--json'] : [...args.slice(0, before), '--json', ...args.slice(before)]
}

function read(code: number | null, stdout: string, stderr: string): CliResult {
  const failure = stderr.split('\n').map(parse).find(isFailure)
  return { code, stdout, stderr, json: parse(stdout), errorCode: failure?.error.code }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every line is JSON: progress and agent output go to stderr too.
    return undefined
  }
}

function isFailure(value: unknown): value is { readonly error: { readonly code: string } } {
  return typeof value === 'object' && value !== null && 'error' in value
}
