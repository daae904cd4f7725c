import { rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import { identityOf } from '../../system/process-identity.ts'
import { runCommand } from '../../system/run-command.ts'
import { type AttachCommand, type Multiplexer, START_SIZE } from './multiplexer.ts'
import { sizeOf } from './output-bell.ts'
import { privateFolder } from './private-folder.ts'
import { sendSignal } from './process-family.ts'
import { launchScript } from './runner-script.ts'
import { SCREEN_CONFIG } from './screen-config.ts'
import { drawn } from './screen-display.ts'
import { giveWord, runnerOf, serverName, serverPid, vanishes, wordOf } from './screen-server.ts'
import type { RunnerPlan, RunPaths, WaitingRunner } from './start-runner.ts'
import { keyBytes } from './strokes.ts'

const SCREEN_MS = 15_000

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
      // A server without a display has 80 columns; one display for a moment gives it the size that it keeps.
      await drawn(await attachCommand(address), START_SIZE, signal)
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
