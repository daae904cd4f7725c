import { type ChildProcess, spawn } from 'node:child_process'
import { access, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { executeHere } from '../../support/command-in-process.ts'
import { type CliOptions, type IceboxHome, makeIceboxHome, OUT } from '../../support/icebox-home.ts'
import { SHELL_AGENT } from '../../support/test-bottles.ts'

/** The built command. */
export const CLI = join(OUT, 'main/cli.js')

export interface PlainResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** What it wrote so far. */
  readonly said: { stdout: string; stderr: string }
  readonly ended: Promise<PlainResult>
}

/** A state root with an agent `shell` on the host backend, whose prompt is a shell script. */
export interface CliScene {
  readonly home: IceboxHome
  /** Runs the command exactly with these arguments; stdin is empty unless given. */
  plain(
    args: readonly string[],
    options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<PlainResult>
  /** Starts the command and leaves it running. */
  begin(args: readonly string[], program?: readonly string[]): Running
  /** Starts the agent headless with a script, waits for its end and returns the slug. */
  started(label: string, script: string): Promise<string>
  /** Ends what runs, destroys and purges all bottles, removes the folder. */
  dispose(): Promise<void>
}

/** How much of the command line is built and started for a scene. */
export interface SceneOptions {
  /**
   * True: each command is a process of the build when it comes first; further calls of it run in this process, unless
   * they need input or variables. For tests that are about what commands do and say.
   */
  readonly isProcessOnce?: boolean
}

export async function openCliScene({ isProcessOnce = false }: SceneOptions = {}): Promise<CliScene> {
  await access(CLI).catch((cause: unknown) => {
    throw new Error('These tests run the build: run npm run build first.', { cause })
  })
  const dir = await mkdtemp(join(tmpdir(), 'icebox-cli-'))
  const made = await makeIceboxHome(dir)
  const here = await makeIceboxHome(dir, { inProcess: true })
  const begun = new Set<string>()
  // What runs in this process finds the same root and engines as a process of its own.
  if (isProcessOnce) Object.assign(process.env, { ICEBOX_HOME: dir, ...noDocker(dir) })
  /** True when a command needs a process of its own; false for what has had one. */
  const isFirst = (args: readonly string[]): boolean => {
    if (!isProcessOnce) return true
    const name = commandOf(args)
    if (begun.has(name)) return false
    begun.add(name)
    return true
  }
  const withoutDocker = (options: CliOptions = {}) => ({
    ...options,
    env: { ...noDocker(dir), ...options.env },
  })
  const run = (how: 'icebox' | 'must', args: readonly string[], options?: CliOptions) =>
    options || isFirst(args) ? made[how](args, withoutDocker(options)) : here[how](args)
  const home: IceboxHome = {
    ...made,
    icebox: (args, options) => run('icebox', args, options),
    must: (args, options) => run('must', args, options),
  }
  // Without job control the shell's exit code does not hang on who owns the terminal.
  await home.writeAgent('shell', SHELL_AGENT.replace('interactive: [sh]', 'interactive: [sh, +m]'))
  await home.writeBottle('box', 'backend: host\nenv: {PS1: "agent> "}')
  await home.writeBottle('boxed', 'backend: docker\nimage: icebox-test-none')
  const children = new Set<ChildProcess>()
  const begin: CliScene['begin'] = (args, program = [process.execPath, CLI]) => {
    const [file = '', ...before] = program
    const child = spawn(file, [...before, ...args], {
      cwd: join(home.dir, 'cwd'),
      env: sceneEnv(home.dir),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    children.add(child)
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk.toString()
    })
    const ended = new Promise<PlainResult>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        children.delete(child)
        resolve({ code, ...said })
      })
    })
    return { child, said, ended }
  }
  return {
    home,
    begin,
    plain(args, options = {}) {
      const needsProcess = options.input !== undefined || options.env !== undefined
      if (!needsProcess && !isFirst(args)) return executeHere(args, home.dir, join(home.dir, 'cwd'))
      const program = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`)
      const running = begin(args, ['/usr/bin/env', ...program, process.execPath, CLI])
      running.child.stdin?.end(options.input ?? '')
      return running.ended
    },
    async started(label, script) {
      await home.icebox(['start', 'shell', '--headless', '--label', label, '--prompt', script])
      return label
    },
    async dispose() {
      for (const child of children) child.kill('SIGKILL')
      await home.icebox(['stop-all', '--force'])
      const { json } = await home.icebox(['list'])
      for (const { slug } of Array.isArray(json) ? (json as { slug: string }[]) : []) {
        await home.icebox(['destroy', slug, '--yes', '--purge', '--force'])
      }
      await home.remove()
    },
  }
}

/** The command that arguments name, with the one below it, as in `trash undo`. Pure. */
function commandOf(args: readonly string[]): string {
  const words = args.filter((word) => !word.startsWith('-'))
  return words.slice(0, ['trash', 'secret'].includes(words[0] ?? '') ? 2 : 1).join(' ')
}

/** No Docker unless a test names one, so that these tests need none and touch none. */
export function sceneEnv(home: string): NodeJS.ProcessEnv {
  return { ...process.env, ICEBOX_HOME: home, ...noDocker(home) }
}

function noDocker(home: string): Readonly<Record<string, string>> {
  return { DOCKER_HOST: `unix://${home}/no-docker.sock` }
}

/** Waits until a condition holds; the limit only keeps a broken test from hanging. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 100_000,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`It never came: ${what}`)
    await delay(50)
  }
}
