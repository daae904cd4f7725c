import { constants } from 'node:fs'
import { open, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readText } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { identityOf, isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import { runCommand } from '../../system/run-command.ts'
import type { ScreenText } from '../agent-access.ts'
import { type AttachCommand, type Multiplexer, START_SIZE } from './multiplexer.ts'
import { sizeOf } from './output-bell.ts'
import { privateFolder } from './private-folder.ts'
import { sendSignal } from './process-family.ts'
import { launchScript } from './runner-script.ts'
import { SCREEN_CONFIG } from './screen-config.ts'
import type { RunnerPlan, RunPaths, WaitingRunner } from './start-runner.ts'
import { keyBytes } from './strokes.ts'
import { openTerminal } from './terminal.ts'
import { openView } from './terminal-view.ts'
import { waitUntil } from './wait-until.ts'

const SCREEN_MS = 15_000
/** How long an ended server may take to vanish. */
const VANISH_MS = 3000
/** A display that gets nothing more for so long has been drawn. */
const QUIET_MS = 80

/** Terminals kept by GNU screen; `program` is its absolute path, an address a folder of one server's own. */
export function screenMultiplexer(program: string): Multiplexer {
  const environment = (address: string) => ({
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    SHELL: '/bin/sh',
    TERM: 'screen-256color',
    SCREENDIR: address,
  })
  const ask = async (address: string, args: readonly string[], signal?: AbortSignal) => {
    const name = await serverName(address)
    if (!name) throw bottleError('not-found', 'The terminal has ended.')
    return runCommand(program, ['-S', name, '-p', '0', ...args], {
      env: environment(address),
      timeout: SCREEN_MS,
      ...(signal ? { signal } : {}),
    })
  }
  const attachCommand = async (address: string): Promise<AttachCommand> => {
    const name = await serverName(address)
    if (!name) throw bottleError('not-found', 'The terminal has ended.')
    return {
      file: program,
      args: ['-U', '-x', name],
      env: { ...environment(address), TERM: 'xterm-256color' },
    }
  }
  const end = async (address: string): Promise<void> => {
    const pid = serverPid(await serverName(address))
    const identity = pid === null ? undefined : await identityOf(pid)
    // Only a server that takes the word is surely the one that its socket names.
    const isOurs =
      identity &&
      (await ask(address, ['-X', 'quit']).then(
        () => true,
        () => false,
      ))
    if (isOurs && !(await vanishes(identity))) sendSignal(identity.pid, 'SIGKILL')
    await rm(address, { recursive: true, force: true })
  }
  const start = async (
    run: RunPaths,
    plan: RunnerPlan,
    address: string,
    signal: AbortSignal,
  ): Promise<WaitingRunner> => {
    const before = await sizeOf(run.log)
    await rm(address, { recursive: true, force: true })
    await privateFolder(address)
    await writeFile(run.launch, launchScript(plan.cwd, plan.env, plan.argv), { mode: 0o600 })
    await writeFile(join(run.dir, 'screen.conf'), SCREEN_CONFIG, { mode: 0o600 })
    await rm(join(run.dir, 'output.log'), { force: true })
    await symlink(relative(run.dir, run.log), join(run.dir, 'output.log'))
    await runCommand('mkfifo', ['-m', '600', wordOf(run)], { timeout: SCREEN_MS, signal })
    try {
      await runCommand(
        program,
        [
          '-c',
          'screen.conf',
          '-U',
          '-dmS',
          'agent',
          '/bin/sh',
          run.runner,
          run.dir,
          '',
          plan.indexFile,
          'fifo',
        ],
        { cwd: run.dir, env: environment(address), timeout: SCREEN_MS, signal },
      )
      const identity = await runnerOf(run, signal)
      await setSize(await attachCommand(address), signal)
      // Growing moved the cursor down, and what moves it up again is written down as if the agent had done it.
      await ask(address, ['-X', 'clear'], signal)
      await ask(address, ['-Q', 'info'], signal)
      await truncate(run.log, before)
      return { identity, go: () => giveWord(wordOf(run), identity), cancel: () => end(address) }
    } catch (thrown) {
      await end(address)
      throw thrown
    }
  }
  // By a file: a text in the arguments would be in the list of processes, and some signs of it would be replaced.
  const give = async (address: string, text: string, signal: AbortSignal) => {
    const file = join(address, '.typed')
    await writeFile(file, text, { mode: 0o600 })
    try {
      await ask(address, ['-X', 'readreg', 'i', file], signal)
      await ask(address, ['-X', 'paste', 'i'], signal)
      // A question is answered after all that came before it, so the file has been read.
      await ask(address, ['-Q', 'info'], signal)
    } finally {
      await rm(file, { force: true })
    }
  }
  return {
    name: 'screen',
    start,
    attachCommand,
    typeText: give,
    paste: (address, text, signal) => give(address, text.replaceAll('\n', '\r'), signal),
    pressKey: async (address, key, signal) => {
      const bytes = [...Buffer.from(keyBytes(key, { bracketedPaste: false, applicationCursor: false }))]
      const word = bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
      await ask(address, ['-X', 'stuff', word], signal)
    },
    async capture(address, signal) {
      const { stdout } = await ask(address, ['-Q', 'info'], signal)
      const [, cols, rows] = /\/\((\d+),(\d+)\)/.exec(stdout) ?? []
      if (!cols || !rows) {
        throw bottleError('engine-failed', 'screen did not say how large the terminal is.', {
          detail: stdout,
        })
      }
      return drawn(await attachCommand(address), { cols: Number(cols), rows: Number(rows) }, signal)
    },
    end,
  }
}

const wordOf = (run: RunPaths): string => join(run.dir, 'word')

/** The exact name of the only server in the folder, `<pid>.agent`: a beginning of it would do for the program. */
async function serverName(address: string): Promise<string | null> {
  const names = await readdir(address).catch(() => [] as string[])
  return names.find((name) => serverPid(name) !== null) ?? null
}

function serverPid(name: string | null): number | null {
  const pid = /^(\d+)\.agent$/.exec(name ?? '')?.[1]
  return pid === undefined ? null : Number(pid)
}

async function vanishes(identity: ProcessIdentity): Promise<boolean> {
  const deadline = performance.now() + VANISH_MS
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false
    await delay(20)
  }
  return true
}

/** The runner says who it is, since nobody else can tell. */
async function runnerOf(run: RunPaths, signal: AbortSignal): Promise<ProcessIdentity> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(SCREEN_MS)])
  return waitUntil([run.dir], 100, patience, async () => {
    const pid = Number.parseInt((await readText(join(run.dir, 'runner.pid'))) ?? '', 10)
    if (!(pid > 1)) return undefined
    const identity = await identityOf(pid)
    if (!identity) throw bottleError('engine-failed', 'The terminal ended at once.')
    return identity
  })
}

/** The runner opens its end at once; until then there is nobody to hear. */
async function giveWord(fifo: string, runner: ProcessIdentity): Promise<void> {
  for (;;) {
    const pipe = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENXIO') return null
        throw error
      },
    )
    if (pipe) {
      await pipe.writeFile('go\n').finally(() => pipe.close())
      // Whoever reads all files of the run would wait for ever at this one.
      await rm(fifo, { force: true })
      return
    }
    if (!(await isAlive(runner))) throw bottleError('engine-failed', 'The terminal ended at once.')
    await delay(5)
  }
}

/** A server without a display has 80 columns; one display for a moment gives it the size that it keeps. */
async function setSize(command: AttachCommand, signal: AbortSignal): Promise<void> {
  await drawn(command, START_SIZE, signal)
}

/** What a display that attaches is shown. */
async function drawn(
  command: AttachCommand,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<ScreenText> {
  const view = await openView(size)
  const done = new AbortController()
  const patience = AbortSignal.any([signal, done.signal, AbortSignal.timeout(SCREEN_MS)])
  const channel = await openTerminal(command, size, patience)
  let quiet = setTimeout(() => done.abort(), SCREEN_MS)
  try {
    for await (const bytes of channel.data) {
      view.feed(bytes)
      clearTimeout(quiet)
      quiet = setTimeout(() => done.abort(), QUIET_MS)
    }
    signal.throwIfAborted()
    return await view.look()
  } finally {
    clearTimeout(quiet)
    channel.detach()
    view.close()
  }
}
